/** A child of the sandbox whose jobs behave as if hostile input had taken them over. */
import { execSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { StageError } from '../../../src/object/stage-error.ts';
import { serveJobs } from '../../../src/sandbox/job-server.ts';
import { makeAttempts } from './attempts.ts';

const kept: Buffer[] = [];

serveJobs({
  echo: (input: Uint8Array) => input,
  pid: () => Buffer.from(String(process.pid)),
  environment: () =>
    Buffer.from(JSON.stringify(Object.keys(process.env).filter((name) => !name.startsWith('NODE_CHANNEL')))),
  spin: () => {
    for (;;);
  },
  later: async (input: { waitMs: number }) => {
    await new Promise((resolve) => setTimeout(resolve, input.waitMs));
    return Buffer.from('later');
  },
  heap: () => {
    const all: unknown[] = [];
    for (;;) all.push({ n: all.length, s: `${all.length}` });
  },
  buffers: () => {
    for (;;) kept.push(Buffer.alloc(8 * 1_048_576, 1));
  },
  keep: (input: { mib: number }) => {
    kept.push(Buffer.alloc(input.mib * 1_048_576, 1));
    return Buffer.from('kept');
  },
  crash: () => process.abort(),
  exit: () => process.exit(3),
  refuse: () => {
    throw new StageError({ stage: 'source', code: 'RateLimited', retry: { afterMs: 5 }, message: 'No, because.' });
  },
  fail: () => {
    throw new TypeError('oops');
  },
  read: (path: string) => readFileSync(path),
  write: (path: string) => {
    writeFileSync(path, 'x');
    return Buffer.alloc(0);
  },
  spawn: () => execSync('id'),
  makeAttempts,
});
