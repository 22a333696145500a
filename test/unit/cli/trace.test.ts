/** `trace`: from an object to the Application that applied it; and the names of kinds and objects. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findKindByName } from '../../../src/cli/kind-name.ts';
import { readObjectName, traceText, traceUp } from '../../../src/cli/trace.ts';
import { OWNER_ANNOTATION, ownerOf, PART_OF_LABEL } from '../../../src/object/applyset.ts';
import { accessTo, application, KINDS, live, object } from './fake-cluster.ts';

const owner = ownerOf({ hubId: 'hub', namespace: 'apps', name: 'shop' });
const marks = {
  labels: { [PART_OF_LABEL]: owner.applySetId },
  annotations: { [OWNER_ANNOTATION]: owner.ownerAnnotation },
};
const web = object('apps/Deployment', 'web', { metadata: marks });
// A Deployment copies its annotations to its ReplicaSets, and not its labels.
const replicas = object('apps/ReplicaSet', 'web-1', { metadata: { annotations: marks.annotations } }, web);
const pod = object('Pod', 'web-1-x', {}, replicas);

test('a Pod is traced over its owners to the object that both marks name', async () => {
  const traced = await traceUp(accessTo([web, replicas, pod]).cluster, KINDS, live(pod));
  assert.ok(traced.ok);
  assert.deepEqual(
    traced.chain.map(({ kind, name }) => `${kind}/${name}`),
    ['Pod/web-1-x', 'ReplicaSet/web-1', 'Deployment/web'],
  );
  assert.deepEqual(traced.owner, { hubId: 'hub', namespace: 'apps', name: 'shop' });
});

test('an object without marks, a gone owner and an endless chain end with a sentence', async () => {
  const alone = object('Pod', 'alone');
  const replaced = object('apps/ReplicaSet', 'web-1', { metadata: { uid: 'another' } });
  const a = object('Pod', 'a', {}, object('Pod', 'b'));
  const b = object('Pod', 'b', {}, object('Pod', 'a'));
  const cases = [
    { bodies: [alone], from: alone, problem: /no Application has applied it/ },
    { bodies: [replaced, pod], from: pod, problem: /its owner ReplicaSet\.apps shop\/web-1 does not exist any more/ },
    { bodies: [a, b], from: a, problem: /more than 10 owners/ },
  ];
  for (const { bodies, from, problem } of cases) {
    const traced = await traceUp(accessTo(bodies).cluster, KINDS, live(from));
    assert.match(traced.ok ? '' : traced.problem, problem);
  }
});

test('the trace names object, Application, commit and file', () => {
  const shop = application({ sync: { status: 'Synced', commit: '6dcb09b5b578' }, health: { status: 'Healthy' } });
  const chain = [{ group: '', kind: 'Pod', namespace: 'shop', name: 'web-1-x' }];
  const view = { chain, sync: 'Synced', health: 'Healthy', repository: 'https://git.example.com/shop.git' };
  const text = traceText(shop, { ...view, file: 'deploy/web.yaml:3' });
  assert.match(text, /^Object +Pod shop\/web-1-x\nApplication +apps\/shop \(Synced, Healthy\)\n/);
  assert.match(text, /\nCommit +6dcb09b5b578\nFile +deploy\/web\.yaml:3\n$/);
  assert.match(traceText(shop, view), /\nFile +not known without a render: add --render\n$/);
});

test('a kind is found by its name, plural, short name and group, and a built-in one wins', () => {
  const found = (text: string): string => {
    const result = findKindByName(KINDS, text);
    return result.ok ? `${result.kind.kind}.${result.kind.group}` : result.problem;
  };
  for (const form of ['deployment', 'Deployments', 'deploy', 'deployment.apps']) {
    assert.equal(found(form), 'Deployment.apps', form);
  }
  assert.equal(found('svc'), 'Service.');
  assert.equal(found('service.serving.example.com'), 'Service.serving.example.com');
  assert.equal(found('event'), 'Event.');
  assert.match(found('widget'), /several groups .* Widget\.a\.example\.com, Widget\.b\.example\.com$/);
  assert.match(found('deploymnet'), /no kind deploymnet; did you mean Deployment\?$/);
});

test('an object is named by kind and name', () => {
  assert.deepEqual(readObjectName('pod/a'), { ok: true, kind: 'pod', name: 'a' });
  for (const wrong of ['', 'pod', 'pod/', '/a', 'pod/a/b', 'pod/..', 'pod/a b', 'pod/a%2fb']) {
    assert.equal(readObjectName(wrong).ok, false, wrong);
  }
});
