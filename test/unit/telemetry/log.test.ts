/** The log: one line of JSON per message, without values of fields that are named like credentials. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { createLog, type LogLevel } from '../../../src/telemetry/log.ts';
import type { Log } from '../../../src/telemetry/ports.ts';

function linesOf(level: LogLevel, write: (log: Log) => void): Record<string, unknown>[] {
  const lines: string[] = [];
  write(createLog({ level, destination: { write: (line: string) => void lines.push(line) } }));
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

test('a message is one line with level, time and fields', () => {
  const [line, ...more] = linesOf('info', (log) => log.info('application changed', { application: 'a/b', objects: 3 }));
  assert.deepEqual(more, []);
  const { time, ...rest } = line ?? {};
  assert.deepEqual(rest, { level: 'info', msg: 'application changed', application: 'a/b', objects: 3 });
  assert.ok(Number.isFinite(Date.parse(String(time))));
});

test('messages below the level are not written', () => {
  const lines = linesOf('warn', (log) => {
    log.debug('a');
    log.info('b');
    log.warn('c');
    log.error('d');
  });
  assert.deepEqual(
    lines.map(({ msg }) => msg),
    ['c', 'd'],
  );
});

test('a value with line breaks stays within its line', () => {
  const [line, ...more] = linesOf('info', (log) => log.info('x', { detail: 'one\ntwo\u2028three' }));
  assert.deepEqual(more, []);
  assert.equal(line?.['detail'], 'one\ntwo\u2028three');
});

test('fields that are named like credentials are redacted', () => {
  const names = ['authorization', 'password', 'token', 'bearerToken', 'secret', 'data', 'stringData'];
  const [line] = linesOf('info', (log) => log.info('x', Object.fromEntries(names.map((name) => [name, 'canary']))));
  assert.doesNotMatch(JSON.stringify(line), /canary/);
});

test('control characters are escaped in the line and unchanged in the parsed value', () => {
  const lines: string[] = [];
  const log = createLog({ level: 'info', destination: { write: (line: string) => void lines.push(line) } });
  const detail = '\x1b[2J\x7f\x9b\u202e\u2028\n';
  log.info('application changed', { detail });
  assert.match(lines[0] ?? '', /^[\x20-\x7e]+\n$/);
  assert.equal((JSON.parse(lines[0] ?? '') as { detail: string }).detail, detail);
});
