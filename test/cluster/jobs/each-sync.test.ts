/** Hooks that run once for each sync, hooks with a generated name, and hooks of failed syncs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMap, job, text, type Manifest } from '../../support/objects.ts';
import { at, declareSubject, endJob, jobPath, QUICK_FLAGS, untilGone, untilObject } from '../../support/scene.ts';
import { useWorld } from '../../support/use-world.ts';
import { eventually, type Json } from '../../support/world.ts';

const { world } = useWorld();
const flags = QUICK_FLAGS;
const ARGO = 'argocd.argoproj.io';

const hook = (name: string, phase: string, more: Record<string, string> = {}): Manifest =>
  job(name, { metadata: { annotations: { [`${ARGO}/hook`]: phase, ...more } } });

function generated(prefix: string): Manifest {
  const made = hook('unused', 'PostSync') as { metadata: Record<string, unknown> };
  const { name: _name, ...metadata } = made.metadata;
  return { ...made, metadata: { ...metadata, generateName: prefix } };
}

const uidOf = (object: unknown): unknown => at(object, 'metadata', 'uid');

async function jobsOf(namespace: string): Promise<string[]> {
  const list = await world.read(`/apis/batch/v1/namespaces/${namespace}/jobs`);
  return ((list?.['items'] ?? []) as unknown as Json[]).map((item) => String(at(item, 'metadata', 'name'))).sort();
}

test('a hook with BeforeHookCreation runs for each changed set, and neither for a broken commit nor a restart', async () => {
  const each = hook('migrate', 'PreSync', { [`${ARGO}/hook-delete-policy`]: 'BeforeHookCreation' });
  const once = hook('setup', 'PreSync');
  const files = (value: string) => ({
    'all.yaml': text(each, once, generated('report-'), configMap('main', { value })),
  });
  const path = jobPath('each', 'migrate');
  const reportOf = async (): Promise<string | undefined> =>
    (await jobsOf('each')).find((name) => /^report-[2456789bcdfghkmt]{10}$/.test(name));
  const { subject, second } = await (async () => {
    await using agent = await world.agent({ flags });
    assert.ok(agent.apiUrl);
    const declared = await declareSubject(world, 'each', { files: files('1') });
    await endJob(world, path);
    await endJob(world, jobPath('each', 'setup'));
    const report = (await eventually(reportOf)) ?? '';
    await endJob(world, jobPath('each', report));
    await declared.application.untilReady();
    const [first, kept] = [uidOf(await world.read(path)), uidOf(await world.read(jobPath('each', 'setup')))];

    await declared.repository.commit({ 'README.md': 'no manifest' });
    await declared.application.refresh();
    assert.equal(uidOf(await world.read(path)), first, 'a commit that changes no object is no sync');

    await declared.repository.commit(files('2'));
    await declared.application.refresh();
    const again = uidOf(await untilObject(world, path, (found) => uidOf(found) !== first));
    assert.equal(at(await declared.configMap('main'), 'data', 'value'), '1', 'the next phase waits for the new run');
    await endJob(world, path);
    const next =
      (await eventually(async () => {
        const found = await reportOf();
        return found === report ? undefined : found;
      })) ?? '';
    await untilGone(world, jobPath('each', report));
    await endJob(world, jobPath('each', next));
    await declared.application.untilReady();
    assert.equal(at(await declared.configMap('main'), 'data', 'value'), '2');
    assert.equal(uidOf(await world.read(jobPath('each', 'setup'))), kept, 'a hook without the policy runs once');
    assert.deepEqual(await jobsOf('each'), ['migrate', next, 'setup'].sort());

    await declared.repository.commit({ 'broken.yaml': ': : broken: [\n', 'more.yaml': text(configMap('more', {})) });
    await declared.application.refresh();
    assert.equal(uidOf(await world.read(path)), again, 'a broken commit is no sync');
    await declared.repository.commit({ 'broken.yaml': null, 'more.yaml': null });
    return { subject: declared, second: again };
  })();
  await using restarted = await world.agent({ flags });
  assert.ok(restarted.apiUrl);
  await subject.application.refresh();
  await subject.application.untilReady();
  assert.equal(uidOf(await world.read(path)), second);
});

test('a SyncFail hook runs once when a sync has failed, and again for the next one that fails', async () => {
  await using agent = await world.agent({ flags });
  assert.ok(agent.apiUrl);
  const alarm = hook('alarm', 'SyncFail');
  const files = (value: string, type = 'ClusterIP') => ({
    'all.yaml': text(alarm, configMap('main', { value }), {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web' },
      spec: { type, ports: [{ port: 80 }] },
    }),
  });
  const stopping = text(hook('pre', 'PreSync'), hook('alarm', 'SyncFail'), configMap('main', {}));
  const stopped = await declareSubject(world, 'stopped', { files: { 'all.yaml': stopping } });
  await endJob(world, jobPath('stopped', 'pre'), 'Failed');
  const path = jobPath('alarmed', 'alarm');
  const subject = await declareSubject(world, 'alarmed', { files: files('1') });
  const { application, repository } = subject;
  await application.untilReady();
  assert.equal(await world.read(path), undefined, 'no sync has failed');

  await repository.commit(files('2', 'Nonsense'));
  await application.refresh();
  const first = uidOf(await untilObject(world, path, () => true));
  assert.equal(at(await subject.configMap('main'), 'data', 'value'), '2', 'the hook holds nothing back');
  await endJob(world, path);
  await application.until('the end is recorded', (found) => at(found, 'status', 'finished') !== undefined);
  await application.refresh();
  assert.equal(uidOf(await world.read(path)), first, 'it runs once for the failed sync');

  await repository.commit(files('3'));
  await application.refresh();
  const well = await application.untilReady();
  assert.equal(at(well, 'status', 'sync', 'failed'), undefined);
  await repository.commit(files('4', 'Nonsense'));
  await application.refresh();
  await untilObject(world, path, (found) => uidOf(found) !== first);

  await untilObject(world, jobPath('stopped', 'alarm'), () => true);
  assert.equal(await stopped.configMap('main'), undefined, 'a hook that failed stops the sync');
});
