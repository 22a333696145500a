/**
 * Kills while a deleted Application prunes its objects: the next agent finishes without the account by which the
 * Application acts, and without a second confirmation.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { useWorld } from '../support/use-world.ts';
import { configMap, text } from '../support/objects.ts';
import { ACCOUNT } from '../support/rights.ts';
import {
  configMapPath,
  declareSubject,
  makeNamespace,
  readyMessage,
  untilGone,
  untilObject,
} from '../support/scene.ts';
import { builtFile } from '../support/built-program.ts';

const FAULTY_AGENT = builtFile('agent-with-faults.js');
const FLAGS = ['--progress-check', '500ms', '--hand-over-wait', '1s', '--max-backoff', '2s'];
const GROUP = 'rbac.authorization.k8s.io';

const { world } = useWorld();

for (const [count, stage] of [
  [1, 'its other objects'],
  [2, 'its account'],
  [3, 'the rights of its account'],
] as const) {
  test(`the next agent finishes a deletion that was killed after ${stage}`, async () => {
    const namespace = `killed-${count}`;
    const metadata = { namespace, name: ACCOUNT };
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata };
    const binding = {
      apiVersion: `${GROUP}/v1`,
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: GROUP, kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'ServiceAccount', ...metadata }],
    };
    const repository = await world.repository(namespace);
    await repository.commit({ 'all.yaml': text(account, binding, configMap('c', {})) });
    await makeNamespace(world, namespace);
    await world.apply(account);
    await world.apply(binding);
    const spec = { source: { repoURL: repository.url }, serviceAccountName: ACCOUNT };
    const application = await world.declare('shop', spec, namespace);
    {
      await using agent = await world.agent({ flags: FLAGS });
      await application.untilReady();
      assert.equal(agent.process.exitCode, null);
    }
    await application.remove();
    const faults = ['--kill-at', 'objects-pruned', '--kill-at-count', String(count)];
    const { process } = await world.agent({ entry: FAULTY_AGENT, flags: [...FLAGS, ...faults] });
    if (process.exitCode === null && process.signalCode === null) await once(process, 'exit');
    assert.equal(process.signalCode, 'SIGKILL');
    await using next = await world.agent({ flags: FLAGS });
    await untilGone(world, application.path);
    assert.equal(await world.read(configMapPath(namespace, 'c')), undefined);
    assert.equal(await world.read(`/api/v1/namespaces/${namespace}/serviceaccounts/${ACCOUNT}`), undefined);
    assert.equal(await world.read(`/apis/${GROUP}/v1/namespaces/${namespace}/rolebindings/${ACCOUNT}`), undefined);
    assert.equal(next.process.exitCode, null);
  });
}

test('a confirmed deletion that was killed needs no second confirmation', async () => {
  const confirm = { annotations: { 'argocd.argoproj.io/sync-options': 'Delete=confirm' } };
  const files = { 'all.yaml': text(configMap('asks', {}, confirm), configMap('c', {})) };
  const subject = await declareSubject(world, 'killed-asking', { files });
  const { application } = subject;
  {
    await using agent = await world.agent({ flags: FLAGS });
    await application.untilReady();
    await application.remove();
    await untilObject(world, application.path, (now) => /asks for a confirmation/.test(readyMessage(now)));
    assert.equal(agent.process.exitCode, null);
  }
  await application.request({ action: 'confirm-prune' });
  const { process } = await world.agent({ entry: FAULTY_AGENT, flags: [...FLAGS, '--kill-at', 'objects-pruned'] });
  if (process.exitCode === null && process.signalCode === null) await once(process, 'exit');
  assert.equal(process.signalCode, 'SIGKILL');
  await using next = await world.agent({ flags: FLAGS });
  await untilGone(world, application.path);
  assert.equal(await subject.configMap('asks'), undefined);
  assert.equal(next.process.exitCode, null);
});
