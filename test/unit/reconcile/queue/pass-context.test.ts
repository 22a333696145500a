/** When a pass gives its worker back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contextOfPass, type SharedContext } from '../../../../src/reconcile/queue/pass-context.ts';

const answer = async (): Promise<undefined> => undefined;
const shared = {
  source: { poll: answer, fetch: answer, recall: answer, find: answer },
  render: { render: answer, chartFiles: answer, locateFields: answer },
  helm: { version: answer, template: answer },
  healthChecks: { common: [], read: answer, evaluate: answer },
} as unknown as SharedContext;

/** Whether `call` gives the worker back while it waits. */
async function givesBack(call: (context: ReturnType<typeof contextOfPass>) => Promise<unknown>): Promise<boolean> {
  let waits = 0;
  const worker = {
    whileWaiting<T>(wait: () => Promise<T>): Promise<T> {
      waits++;
      return wait();
    },
  };
  await call(contextOfPass(shared, worker));
  return waits === 1;
}

const NO_REQUEST = {} as never;

test('a pass gives its worker back while it waits for a server, a render, helm or a check', async () => {
  assert.ok(await givesBack(({ source }) => source.poll(NO_REQUEST)));
  assert.ok(await givesBack(({ source }) => source.fetch(NO_REQUEST)));
  assert.ok(await givesBack(({ render }) => render.render(NO_REQUEST)));
  assert.ok(await givesBack(({ render }) => render.chartFiles(NO_REQUEST)));
  assert.ok(await givesBack(({ render }) => render.locateFields(NO_REQUEST)));
  assert.ok(await givesBack(({ helm }) => helm.template(NO_REQUEST)));
  assert.ok(await givesBack(({ healthChecks }) => healthChecks.read(NO_REQUEST, NO_REQUEST)));
  assert.ok(await givesBack(({ healthChecks }) => healthChecks.evaluate(NO_REQUEST, NO_REQUEST)));
});

test('a pass that polls while it applies keeps its worker', async () => {
  assert.equal(await givesBack(({ sourceWhileApplying }) => sourceWhileApplying.poll(NO_REQUEST)), false);
  assert.equal(await givesBack(({ sourceWhileApplying }) => sourceWhileApplying.fetch(NO_REQUEST)), false);
});
