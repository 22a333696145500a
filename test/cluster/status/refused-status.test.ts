/** An admission webhook that refuses the status of Applications, and that comes and goes with commits. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMap, text } from '../../support/objects.ts';
import {
  at,
  configMapPath,
  declareSubject,
  detailOf,
  eventsOf,
  metricsOf,
  QUICK_FLAGS,
  untilGone,
  untilObject,
} from '../../support/scene.ts';
import { useWorld } from '../../support/use-world.ts';
import { untilTrue, type Json } from '../../support/world.ts';

const { world, agent } = useWorld({ agent: { flags: QUICK_FLAGS } });

const HOOKS = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';

/** Nothing listens at its address, and its failurePolicy is Fail. Other Applications have no such label. */
const hook = (name: string, resource: string) => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingWebhookConfiguration',
  metadata: { name },
  webhooks: [
    {
      name: `${name}.example.com`,
      admissionReviewVersions: ['v1'],
      sideEffects: 'None',
      timeoutSeconds: 1,
      failurePolicy: 'Fail',
      matchConditions: [{ name: 'one', expression: `request.name == "${name}"` }],
      rules: [
        { apiGroups: ['tautline.dev'], apiVersions: ['*'], operations: ['CREATE', 'UPDATE'], resources: [resource] },
      ],
      clientConfig: { url: 'https://127.0.0.1:9/' },
    },
  ],
});

const readyOf = async (name: string): Promise<unknown> => at(await detailOf(agent, name), 'ready');

async function untilStatusRefused(name: string): Promise<void> {
  await untilTrue(
    async () => /could not be written/.test(String(at(await readyOf(name), 'message'))),
    `the status API tells that the status of ${name} is refused`,
  );
}

for (const [what, resource] of [
  ['the status of Applications', 'applications/status'],
  ['every write of Applications', 'applications/*'],
] as const) {
  test(`a webhook that refuses ${what} does not stop the commit that takes it away`, async () => {
    const name = `refused-${resource === 'applications/*' ? 'all' : 'status'}`;
    const subject = await declareSubject(world, name, {
      files: { 'a.yaml': text(configMap('a', { v: '1' })) },
      spec: { source: { repoURL: `${world.git.url}/${name}.git`, interval: '1h' } },
    });
    await subject.application.untilReady();
    await subject.repository.commit({ 'hook.yaml': text(hook(name, resource)) });
    await subject.application.request({ action: 'refresh' });
    await untilStatusRefused(name);
    const told = await detailOf(agent, name);
    assert.equal(at(told, 'ready', 'status'), 'False');
    assert.match(await metricsOf(agent), new RegExp(`app_info\\{[^}]*name="${name}"[^}]*ready="False"`));
    const events = (await eventsOf(world, subject)).map((event: Json) => String(event['reason']));
    assert.ok(events.includes('StatusNotWritten'), events.join());
    // No request can be written while every write is refused, and the interval is long: the agent polls all the same.
    // The new object cannot be recorded yet. The commit is applied as far as that is possible, and then to its end.
    const commit = await subject.repository.commit({
      'hook.yaml': null,
      'a.yaml': text(configMap('a', { v: '2' }), configMap('b', {})),
    });
    await untilGone(world, `${HOOKS}/${name}`);
    await untilObject(world, configMapPath(name, 'b'), () => true);
    const ready = await subject.application.untilReady(commit);
    assert.equal(at(await subject.configMap('a'), 'data', 'v'), '2');
    assert.equal(at(ready, 'status', 'counts', 'total'), 2);
    await untilTrue(async () => at(await readyOf(name), 'status') === 'True', 'the status API tells that it is Ready');
  });
}

test('an object that cannot be recorded is not created, and what is applied is healed', async () => {
  const name = 'unrecorded';
  const subject = await declareSubject(world, name, { files: { 'a.yaml': text(configMap('a', { v: '1' })) } });
  await subject.application.untilReady();
  await world.apply(hook(name, 'applications/status'));
  await subject.repository.commit({ 'b.yaml': text(configMap('b', {})) });
  await untilTrue(async () => {
    const answer = await world.plane.request(
      'PUT',
      `${subject.application.path}/status`,
      await subject.application.read(),
    );
    return answer.code >= 400;
  }, 'the webhook is in force');
  await subject.application.request({ action: 'refresh' });
  await untilStatusRefused(name);
  await world.send('PATCH', configMapPath(name, 'a'), { data: { v: 'hand' } });
  await untilObject(world, configMapPath(name, 'a'), (object) => at(object, 'data', 'v') === '1');
  assert.equal(await subject.configMap('b'), undefined);
  await world.send('DELETE', `${HOOKS}/${name}`);
  await subject.application.untilReady();
  await untilObject(world, configMapPath(name, 'b'), () => true);
});
