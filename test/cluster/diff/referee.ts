/**
 * The API server as the referee of diff/: applies objects, undoes mutations, and finds out by a dry run whether an
 * apply would change anything.
 *
 * Invariant: objects of the server are compared whole, except for fields that every write changes, and for the status.
 */
import assert from 'node:assert/strict';
import { bindManifests } from '../../../src/bind/bind.ts';
import type { DesiredObject } from '../../../src/bind/desired.ts';
import type { Kinds } from '../../../src/cluster/kinds.ts';
import type { LiveObject } from '../../../src/cluster/live.ts';
import type { Baseline, Change } from '../../../src/diff/changes.ts';
import { diffObjects } from '../../../src/diff/diff.ts';
import { ownerOf } from '../../../src/object/applyset.ts';
import { digestValue } from '../../../src/object/digest.ts';
import { formatId, idKey } from '../../../src/object/identity.ts';
import { stringifyJson } from '../../../src/object/json.ts';
import { isEqualValue, listAt, type KubeObject, type Value } from '../../../src/object/value.ts';
import { startControlPlane, type ControlPlane, type ControlPlaneOptions } from '../../control-plane/control-plane.ts';
import { apply, connect, discover, liveOf, messageOf, pathOf, type Answer, type Api } from './api.ts';
import { readObjects } from './generator.ts';
import { namespaceManifest } from '../../support/objects.ts';

export const owner = ownerOf({ hubId: 'hub', namespace: 'default', name: 'test' });
/** The namespace with the quotas and limits, so that they have no effect on other objects. */
const LIMITED = 'limited';

export interface Referee extends AsyncDisposable {
  readonly plane: ControlPlane;
  readonly api: Api;
  /** Binds manifests to the served kinds. A manifest that cannot be bound makes the test fail. */
  bind(manifests: readonly KubeObject[]): Promise<readonly DesiredObject[]>;
  read(desired: DesiredObject): Promise<Answer>;
  /** Applies the object with our field manager and resolves to the live object. A refusal makes the test fail. */
  applied(desired: DesiredObject): Promise<LiveObject>;
  /** Deletes the object and applies it again, so that one mutation leaves nothing for the next. */
  restore(desired: DesiredObject, live: LiveObject): Promise<LiveObject>;
  /** The change that diff/ finds, for an object that is in the inventory and was accepted before. */
  judge(desired: DesiredObject, live: LiveObject, baseline?: Baseline): Change;
  /** The result of applying the object, and whether it differs from the live object; undefined if it is refused. */
  dryRun(desired: DesiredObject, live: LiveObject): Promise<{ returned: LiveObject; isChanged: boolean } | undefined>;
}

/** Starts a control plane that serves the custom kinds of definitions.yaml. */
export async function startReferee(mode: ControlPlaneOptions['mode'] = 'api-server-only'): Promise<Referee> {
  const plane = await startControlPlane({ mode });
  const api = await connect(plane);
  try {
    await api.send('POST', '/api/v1/namespaces', {
      body: namespaceManifest(LIMITED),
    });
    // Pods are refused without these accounts, and the controller that creates them may not run here.
    for (const name of ['default', 'account']) {
      const body = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } };
      await api.send('POST', '/api/v1/namespaces/default/serviceaccounts', { body });
    }
    for (const crd of await readObjects(new URL('definitions.yaml', import.meta.url))) await defineKind(api, crd);
  } catch (error) {
    api.close();
    await plane.stop();
    throw error;
  }
  let kinds: Kinds | undefined;
  const read: Referee['read'] = (desired) => api.send('GET', pathOf(desired.kind, desired.id));
  const applied: Referee['applied'] = async (desired) => {
    const answer = await apply(api, desired, desired.body);
    assert.ok(answer.code < 300, `${formatId(desired.id)}: ${answer.code} ${messageOf(answer)}`);
    return liveOf(answer);
  };
  return {
    plane,
    api,
    read,
    applied,
    bind: async (manifests) => {
      kinds = await discover(api, manifests);
      return bindAll(manifests, kinds);
    },
    judge: (desired, live, baseline) => {
      assert.ok(kinds);
      return judge({ desired, live, kinds, baseline });
    },
    restore: async (desired, live) => {
      await remove({ api, desired, live, read });
      return applied(desired);
    },
    dryRun: async (desired, live) => {
      const answer = await apply(api, desired, desired.body, { dryRun: true });
      if (answer.code >= 300) return undefined;
      const returned = liveOf(answer);
      return { returned, isChanged: !isEqualValue(essence(returned.body, desired), essence(live.body, desired)) };
    },
    [Symbol.asyncDispose]: async () => {
      api.close();
      await plane.stop();
    },
  };
}

export function show(fields: Change['fields']): string {
  return stringifyJson(fields as unknown as Value);
}

/** The object without fields that every write changes, and without a status, which controllers may write meanwhile. */
export function essence(body: KubeObject, { kind }: DesiredObject): Value {
  const metadata = { ...body.metadata };
  for (const key of ['managedFields', 'resourceVersion', 'generation']) delete metadata[key];
  return { ...body, metadata, ...(kind.hasStatus ? { status: null } : {}) };
}

export interface Judged {
  readonly desired: DesiredObject;
  readonly live: LiveObject;
  readonly kinds: Kinds;
  readonly baseline?: Baseline | undefined;
}

export function judge({ desired, live, kinds, baseline }: Judged): Change {
  const key = idKey(desired.id);
  const [change] = diffObjects({
    desired: { objects: [desired], problems: [], digest: '' },
    live: new Map([[key, { state: 'present', object: live }]]),
    inventory: new Map([[key, desired.id]]),
    owner,
    memory: { baselines: new Map(baseline ? [[key, baseline]] : []), isAccepted: () => true },
    kinds,
  });
  assert.ok(change);
  return change;
}

function bindAll(manifests: readonly KubeObject[], kinds: Kinds): readonly DesiredObject[] {
  const { objects, problems } = bindManifests({
    manifests: {
      manifests: manifests.map((object) => ({ object, digest: digestValue(object), file: 'a.yaml', line: 1 })),
      problems: [],
    },
    kinds,
    owner,
    destinationNamespace: undefined,
    reach: { namespace: 'default', mayCross: true },
  });
  assert.deepEqual(problems, []);
  return objects;
}

interface Removal {
  readonly api: Api;
  readonly desired: DesiredObject;
  readonly live: LiveObject;
  readonly read: Referee['read'];
}

async function remove({ api, desired, live, read }: Removal): Promise<void> {
  const path = pathOf(desired.kind, desired.id);
  const merge = (metadata: Value) =>
    api.send('PATCH', path, { body: { metadata }, type: 'application/merge-patch+json' });
  // Without a controller a namespace is never removed.
  if (desired.id.kind === 'Namespace') {
    await merge({ managedFields: [{}], finalizers: [], labels: { x: null }, annotations: { x: null } });
    return;
  }
  if (listAt(live.body.metadata, 'finalizers').length > 0) await merge({ finalizers: [] });
  const answer = await api.send('DELETE', path, { body: { propagationPolicy: 'Background', gracePeriodSeconds: 0 } });
  // Most objects are removed at once, and the answer is a Status.
  if (answer.code < 300 && (answer.body as { kind?: Value } | null)?.kind === 'Status') return;
  for (let left = await read(desired); left.code < 300; left = await read(desired)) await merge({ finalizers: [] });
}

async function defineKind(api: Api, crd: KubeObject): Promise<void> {
  const name = String(crd.metadata['name']);
  const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}`;
  const answer = await api.send('PATCH', `${path}?fieldManager=setup&force=true`, {
    body: crd,
    type: 'application/apply-patch+yaml',
  });
  assert.ok(answer.code < 300, messageOf(answer));
  for (;;) {
    const { body } = await api.send('GET', `/apis/test.example.com/v1`);
    if (stringifyJson(body).includes(`"${name.split('.')[0]}"`)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
