/** `tautline agent` without a cluster: its help, and invalid command lines. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { SETTINGS, variableOf } from '../../../src/config/config.ts';
import { nodeEnvironment } from '../../support/node-environment.ts';
import { builtFile } from '../../support/built-program.ts';

const ENTRY = builtFile('cli.js');

function tautline(args: readonly string[], environment: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [ENTRY, ...args], {
    encoding: 'utf8',
    env: { ...nodeEnvironment(), ...environment },
  });
  return { status, stdout, stderr };
}

test('the help lists every setting with its flag, variable, default and description', () => {
  const { status, stdout } = tautline(['agent', '--help']);
  assert.equal(status, 0);
  // commander wraps the help to the width of a terminal.
  const text = stdout.replace(/\s+/g, ' ');
  for (const setting of Object.values(SETTINGS)) {
    const shownDefault = setting.default === '' ? '' : `, default: ${setting.default}`;
    assert.ok(text.includes(`--${setting.flag} <${setting.type}>`), setting.flag);
    assert.ok(text.includes(`${setting.description} (env: ${variableOf(setting)}${shownDefault})`), setting.flag);
  }
});

test('an unknown flag, argument or command ends with exit code 2 and one line on stderr', () => {
  for (const args of [['agent', '--nonsense'], ['agent', 'extra'], ['nonsense']]) {
    const { status, stderr } = tautline(args);
    assert.equal(status, 2, args.join(' '));
    assert.match(stderr, /^Error: [^\n]+\n$/);
  }
});

test('an invalid setting ends with exit code 2 and a message that names its flag or variable', () => {
  const byFlag = tautline(['agent', '--concurrency', '0']);
  assert.deepEqual(byFlag, {
    status: 2,
    stdout: '',
    stderr: "tautline agent: --concurrency must be a whole number from 1 to 64, not '0'\n",
  });
  const byVariable = tautline(['agent'], { TAUTLINE_LOG_LEVEL: 'loud' });
  assert.equal(byVariable.status, 2);
  assert.match(byVariable.stderr, /^tautline agent: TAUTLINE_LOG_LEVEL must be one of [^\n]+\n$/);
});

test('every command without a cluster has a help', () => {
  for (const command of ['agent', 'render', 'crd']) assert.equal(tautline([command, '--help']).status, 0, command);
});
