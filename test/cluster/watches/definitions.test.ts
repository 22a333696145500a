/** Watches of a custom kind whose definition is installed, changed and deleted. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agentIdentity } from '../../../src/cluster/identity.ts';
import { kindKey, type KindInfo } from '../../../src/cluster/kinds.ts';
import type { LiveEntry } from '../../../src/cluster/live.ts';
import { marks } from '../edge/edge-cluster.ts';
import { NAMESPACE, useScene } from './scene.ts';
import { ANY_FIELDS, definition, type Manifest } from '../../support/objects.ts';
import { untilTrue } from '../../support/world.ts';

const scene = useScene({ limits: { discoveryDoubtMs: 200 } });

const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const version = (name: string, served: boolean, storage: boolean): Manifest => ({
  name,
  served,
  storage,
  schema: { openAPIV3Schema: ANY_FIELDS },
});

async function define(...versions: Manifest[]): Promise<void> {
  const path = `${DEFINITIONS}/widgets.example.com`;
  const { code, body } = await scene.plane.request('GET', path);
  const wanted = definition({ group: 'example.com', kind: 'Widget', versions });
  const metadata = code === 200 ? (body as { metadata: object }).metadata : wanted.metadata;
  const [method, target] = code === 200 ? ['PUT', path] : ['POST', DEFINITIONS];
  const answer = await scene.plane.request(method, target, { ...wanted, metadata });
  assert.ok(answer.code < 300, JSON.stringify(answer.body));
}

const widget = (of: string): KindInfo => ({
  ...scene.configMaps,
  group: 'example.com',
  version: of,
  kind: 'Widget',
  plural: 'widgets',
});

function look(of: string, name: string): LiveEntry {
  const id = { group: 'example.com', kind: 'Widget', namespace: NAMESPACE, name };
  return scene.cluster.live.look(agentIdentity, widget(of), id);
}

const keepWatched = (of: string): Promise<void> =>
  scene.cluster.live.keepWatched(of, agentIdentity, [{ kind: widget(of), namespace: NAMESPACE }]);

async function create(of: string, name: string): Promise<void> {
  await untilTrue(async () => {
    const path = `/apis/example.com/${of}/namespaces/${NAMESPACE}/widgets`;
    const body = { apiVersion: `example.com/${of}`, kind: 'Widget', metadata: { name, ...marks() } };
    return (await scene.plane.request('POST', path, body)).code === 201;
  }, `${name} is made`);
}

const isServed = async (of: string): Promise<boolean> =>
  (await scene.cluster.kinds()).served.has(kindKey(`example.com/${of}`, 'Widget'));

test('a custom kind is waited for until its definition is installed', async () => {
  await keepWatched('v1');
  const entry = look('v1', 'a');
  assert.ok(entry.state === 'unknown');
  assert.match(entry.reason, /does not serve Widget/);
  await define(version('v1', true, true));
  await create('v1', 'a');
  await untilTrue(() => look('v1', 'a').state === 'present', 'it is seen');
});

test('a custom kind is still watched when another version is added and becomes the stored one', async () => {
  await define(version('v1', true, false), version('v2', true, true));
  await create('v2', 'b');
  await untilTrue(() => look('v1', 'b').state === 'present', 'what is made in v2 is seen in v1');
  await keepWatched('v2');
  await untilTrue(() => look('v2', 'a').state === 'present', 'what was made in v1 is seen in v2');
  const [old, fresh] = [look('v1', 'a'), look('v2', 'a')];
  assert.ok(old.state === 'present' && fresh.state === 'present');
  assert.equal(old.object.uid, fresh.object.uid);
  assert.equal(fresh.object.apiVersion, 'example.com/v2');
});

test('objects in a version that is no longer served are unknown, never gone, and discovery notices by itself', async () => {
  await scene.cluster.kinds({ refresh: true });
  await untilTrue(() => isServed('v1'), 'v1 is discovered');
  scene.changes.splice(0);
  await define(version('v1', false, false), version('v2', true, true));
  await untilTrue(() => look('v1', 'a').state === 'unknown', 'v1 is unknown');
  assert.equal(look('v2', 'a').state, 'present');
  await untilTrue(async () => !(await isServed('v1')), 'discovery has been asked again');
  assert.ok(await isServed('v2'));
  assert.ok(scene.changes.every((change) => !change.startsWith('deleted')));
});

test('objects of a kind whose definition is deleted become unknown, and discovery no longer lists the kind', async () => {
  await scene.plane.request('DELETE', `${DEFINITIONS}/widgets.example.com`);
  await untilTrue(() => look('v2', 'a').state === 'unknown', 'v2 is unknown');
  await untilTrue(async () => !(await isServed('v2')), 'discovery has been asked again');
  const entry = look('v2', 'a');
  assert.ok(entry.state === 'unknown' && /does not serve/.test(entry.reason));
});

test('a custom kind whose definition is installed again is watched again', async () => {
  await define(version('v2', true, true));
  await create('v2', 'c');
  await untilTrue(() => look('v2', 'c').state === 'present', 'it is seen');
  assert.notEqual(look('v2', 'a').state, 'present');
});
