/** Mutating admission policies that change every apply: their result is not drift. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { useWorld } from '../../support/use-world.ts';
import { eventually, type Json } from '../../support/world.ts';
import { expectRest } from './scene.ts';
import { edit } from '../../support/kubectl.ts';
import { configMap, text, workload, type Manifest } from '../../support/objects.ts';
import { at, configMapPath, declareSubject, deploymentPath, PROGRESS_FLAGS, untilObject } from '../../support/scene.ts';

const { world, agent } = useWorld({
  mode: 'full',
  async agent(started) {
    for (const policy of POLICIES) await install(policy);
    for (const policy of POLICIES) await untilWorks(policy);
    return started.agent({ flags: PROGRESS_FLAGS });
  },
});
interface Policy {
  readonly name: string;
  readonly resources: readonly [group: string, plural: string];
  readonly mutation: Manifest;
}

const POLICIES: readonly Policy[] = [
  {
    name: 'upper',
    resources: ['', 'configmaps'],
    mutation: jsonPatch('JSONPatch{op: "replace", path: "/data/k", value: object.data.k.upperAscii()}'),
  },
  {
    name: 'label',
    resources: ['', 'configmaps'],
    mutation: applied('Object{metadata: Object.metadata{labels: {"added": "yes"}}}'),
  },
  {
    // If the merge did not find the container, every write would add another one.
    name: 'sidecar',
    resources: ['apps', 'deployments'],
    mutation: applied(
      'Object{spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{containers: ' +
        '[Object.spec.template.spec.containers{name: "sidecar", image: "example.invalid/sidecar:1"}]}}}}',
    ),
  },
  {
    name: 'image',
    resources: ['apps', 'deployments'],
    mutation: jsonPatch(
      'JSONPatch{op: "replace", path: "/spec/template/spec/containers/0/image", value: "mirror.invalid/app:1"}',
    ),
  },
  {
    name: 'drop',
    resources: ['', 'configmaps'],
    mutation: {
      patchType: 'JSONPatch',
      jsonPatch: { expression: '"gone" in object.data ? [JSONPatch{op: "remove", path: "/data/gone"}] : []' },
    },
  },
];

function jsonPatch(operation: string): Manifest {
  return { patchType: 'JSONPatch', jsonPatch: { expression: `[${operation}]` } };
}

function applied(expression: string): Manifest {
  return { patchType: 'ApplyConfiguration', applyConfiguration: { expression } };
}

async function install({ name, resources: [group, plural], mutation }: Policy): Promise<void> {
  const api = '/apis/admissionregistration.k8s.io/v1';
  const meta = { apiVersion: 'admissionregistration.k8s.io/v1', metadata: { name: `${name}.example.com` } };
  await world.send('POST', `${api}/mutatingadmissionpolicies`, {
    ...meta,
    kind: 'MutatingAdmissionPolicy',
    spec: {
      failurePolicy: 'Fail',
      reinvocationPolicy: 'Never',
      matchConstraints: {
        resourceRules: [
          { apiGroups: [group], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: [plural] },
        ],
        objectSelector: { matchLabels: { admit: name } },
      },
      mutations: [mutation],
    },
  });
  await world.send('POST', `${api}/mutatingadmissionpolicybindings`, {
    ...meta,
    kind: 'MutatingAdmissionPolicyBinding',
    spec: { policyName: `${name}.example.com` },
  });
}

/** The API server takes a moment to load a policy. */
async function untilWorks({ name, resources: [group] }: Policy): Promise<void> {
  const isApps = group === 'apps';
  const path = isApps ? '/apis/apps/v1/namespaces/default/deployments' : '/api/v1/namespaces/default/configmaps';
  const probe = isApps ? deployment(name) : admitted(name);
  const sent = JSON.stringify(at(probe, isApps ? 'spec' : 'data'));
  const works = await eventually(async () => {
    const { code, body } = await world.plane.request('POST', `${path}?dryRun=All`, probe);
    const meta = JSON.stringify(at(body, 'metadata', 'labels') ?? {});
    const text = JSON.stringify(at(body, isApps ? 'spec' : 'data'));
    const isChanged = isApps ? /sidecar|mirror/.test(text) : text !== sent || meta.includes('added');
    return code === 201 && isChanged ? true : undefined;
  });
  assert.ok(works, `policy ${name} does not work`);
}

function admitted(name: string): Manifest {
  return configMap(name, { k: 'lower', gone: '1' }, { labels: { admit: name } });
}

function deployment(name: string): Manifest {
  return workload('Deployment', name, { metadata: { labels: { admit: name } } });
}

for (const policy of POLICIES) {
  const { name, resources } = policy;
  const isApps = resources[0] === 'apps';
  test(`an object that a policy changes at every write comes to rest, and an edit by hand is healed: ${name}`, async () => {
    const namespace = `policy-${name}`;
    const manifest = isApps ? deployment(name) : admitted(name);
    const subject = await declareSubject(world, namespace, { files: { 'a.yaml': text(manifest) } });
    await expectRest(world, agent, subject);
    const path = isApps ? deploymentPath(namespace, name) : configMapPath(namespace, name);
    const whole = (object: Json | undefined): unknown =>
      isApps
        ? at(object, 'spec', 'template', 'spec', 'containers')
        : [object?.['data'], at(object, 'metadata', 'labels')];
    const admittedForm = whole(await world.read(path));
    await (isApps
      ? edit(world, `deployment/${name}`, {
          namespace,
          type: 'strategic',
          patch: { spec: { template: { spec: { containers: [{ name: 'app', image: 'example.invalid/other:1' }] } } } },
        })
      : // Without its label a policy does not see the object: the edit stays as it is.
        edit(world, `configmap/${name}`, {
          namespace,
          patch: { metadata: { labels: { admit: 'nobody' } }, data: { k: 'other' } },
        }));
    const healed = await untilObject(world, path, (object) => isDeepStrictEqual(whole(object), admittedForm));
    assert.ok(healed);
    await expectRest(world, agent, subject, { refreshes: 2 });
    assert.deepEqual(whole(await world.read(path)), admittedForm);
  });
}
