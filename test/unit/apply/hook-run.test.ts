/** A Job of an earlier run of a hook is deleted, and the next pass creates it; other objects are changed in place. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sendChange } from '../../../src/apply/send.ts';
import { withHookRun } from '../../../src/bind/hook-run.ts';
import { HOOK_RUN_ANNOTATION } from '../../../src/object/hooks.ts';
import type { ObjectId } from '../../../src/object/identity.ts';
import { desiredOf, found, idOf, liveOf, OWNER, written } from '../../support/changes.ts';
import { scriptClient, type ScriptedAnswer } from '../../support/scripted-client.ts';

const JOB = idOf('migrate', { group: 'batch', kind: 'Job' });
const GONE: ScriptedAnswer = { remove: { ok: true, outcome: 'gone' } };

async function send(
  id: ObjectId,
  before: string | undefined,
  script: (live: ReturnType<typeof liveOf>) => ScriptedAnswer[],
) {
  const annotations = before === undefined ? {} : { [HOOK_RUN_ANNOTATION]: before };
  const live = liveOf({ id, annotations });
  const client = scriptClient(script(live));
  const desired = withHookRun(desiredOf({ id, policy: { isHook: true, mayRecreate: true } }), 'two');
  const change = { type: 'update', id, kind: desired.kind, fields: [], desired, live } as const;
  return { result: await sendChange(change, { client: client.client, owner: OWNER }), client };
}

test('a Job of an earlier run is deleted by its uid and resourceVersion', async () => {
  const { result, client } = await send(JOB, 'one', (live) => [{ get: found(live) }, GONE]);
  client.expectRequests(['get migrate', 'remove migrate u1 at 1']);
  assert.equal(result.outcome, 'recreating');
});

for (const [title, id, before] of [
  ['a Job of the same run', JOB, 'two'],
  ['a Job that names no run', JOB, undefined],
  ['an object that does not run to an end', idOf('settings'), 'one'],
] as const) {
  test(`${title} is changed in place`, async () => {
    const { result, client } = await send(id, before, (live) => [{ apply: written(live) }]);
    client.expectRequests([`apply ${id.name} force`]);
    assert.equal(result.outcome, 'unchanged');
  });
}
