/** A cluster in memory for the commands that read: Applications, objects and Events, with no process and no server. */
import assert from 'node:assert/strict';
import { mock, type TestContext } from 'node:test';
import { kindKey, type KindInfo, type Kinds } from '../../../src/cluster/kinds.ts';
import { toLiveObject } from '../../../src/cluster/live-object.ts';
import type { LiveObject } from '../../../src/cluster/live.ts';
import type { Selection } from '../../../src/cluster/ports.ts';
import type { UserCluster } from '../../../src/cluster/user-cluster.ts';
import type { Access } from '../../../src/cli/with-cluster.ts';
import { apiVersionOf, groupOf } from '../../../src/object/identity.ts';
import type { KubeObject, ValueMap } from '../../../src/object/value.ts';
import { validSpec } from '../application/spec-cases.ts';

const kindOf = (group: string, kind: string, plural: string): KindInfo => ({
  ...{ group, version: 'v1', kind, plural, isNamespaced: true, hasStatus: true, isWatchable: true },
});

export const ALL_KINDS = [
  kindOf('apps', 'Deployment', 'deployments'),
  kindOf('apps', 'ReplicaSet', 'replicasets'),
  kindOf('', 'Pod', 'pods'),
  kindOf('', 'Service', 'services'),
  kindOf('', 'Event', 'events'),
  kindOf('events.k8s.io', 'Event', 'events'),
  kindOf('serving.example.com', 'Service', 'services'),
  kindOf('a.example.com', 'Widget', 'widgets'),
  kindOf('b.example.com', 'Widget', 'widgets'),
];

export const KINDS: Kinds = {
  served: new Map(ALL_KINDS.map((info) => [kindKey(apiVersionOf(info.group, info.version), info.kind), info])),
  stale: new Set(),
  preferred: new Map(ALL_KINDS.map(({ group, version }) => [group, version])),
};

/** The Application `shop` in the namespace `apps`. */
export function application(status: ValueMap = {}, spec: ValueMap = {}): KubeObject {
  return {
    apiVersion: 'tautline.dev/v1alpha1',
    kind: 'Application',
    metadata: { namespace: 'apps', name: 'shop', generation: 1, uid: 'uid-shop' },
    spec: { ...validSpec(), ...spec },
    status: { observedGeneration: 1, ...status },
  };
}

/** An object in the namespace `shop`. `type` is `group/Kind` or `Kind`; `owner` is the object that controls it. */
export function object(type: string, name: string, more: ValueMap = {}, owner?: KubeObject): KubeObject {
  const [kind = '', group = ''] = type.split('/').reverse();
  const { metadata: given = {}, ...rest } = more;
  const reference = owner && {
    ...{ apiVersion: owner.apiVersion, kind: owner.kind, controller: true },
    ...{ name: owner.metadata['name'] ?? null, uid: owner.metadata['uid'] ?? null },
  };
  const metadata: ValueMap = {
    ...{ namespace: 'shop', name, uid: `uid-${kind}-${name}` },
    ...(reference ? { ownerReferences: [reference] } : {}),
    ...(given as ValueMap),
  };
  return { apiVersion: apiVersionOf(group, 'v1'), kind, metadata, ...rest };
}

export function event(about: KubeObject, reason: string, lastTimestamp: string, more: ValueMap = {}): KubeObject {
  const { namespace = '', name = '' } = about.metadata;
  const involvedObject = { apiVersion: about.apiVersion, kind: about.kind, namespace, name };
  const message = `${reason} of ${String(name)}`;
  return object('Event', `${String(name)}.${reason}`, {
    ...{ involvedObject, reason, message, type: 'Warning', lastTimestamp },
    ...{ metadata: { namespace } },
    ...more,
  });
}

export function live(body: KubeObject): LiveObject {
  const info = ALL_KINDS.find(({ group, kind }) => group === groupOf(body.apiVersion) && kind === body.kind);
  return toLiveObject(info ?? assert.fail(`no kind ${body.kind}`), body) ?? assert.fail('no object');
}

/** The person is in the namespace `apps`. The cluster has no method that these commands do not use. */
export function accessTo(bodies: readonly KubeObject[], more: Partial<UserCluster> = {}): Access {
  const applications = bodies.filter(({ kind }) => kind === 'Application');
  const isOf = (info: KindInfo, namespace: string) => (body: KubeObject) =>
    body.kind === info.kind && groupOf(body.apiVersion) === info.group && body.metadata['namespace'] === namespace;
  const cluster: Partial<UserCluster> = {
    kinds: () => Promise.resolve(KINDS),
    clusterId: () => Promise.resolve('hub'),
    readApplication: ({ name }) =>
      Promise.resolve({ ok: true, value: applications.find(({ metadata }) => metadata['name'] === name) }),
    listApplications: () => Promise.resolve({ ok: true, value: applications }),
    client: {
      get: (info: KindInfo, id: { namespace: string; name: string }) => {
        const found = bodies.filter(isOf(info, id.namespace)).find(({ metadata }) => metadata['name'] === id.name);
        return Promise.resolve({ ok: true, object: found && live(found) });
      },
      listBySelector: (info: KindInfo, { namespace, limit }: Selection) =>
        Promise.resolve({ ok: true, objects: bodies.filter(isOf(info, namespace)).slice(0, limit).map(live) }),
    } as unknown as UserCluster['client'],
    ...more,
  };
  return { cluster: cluster as UserCluster, namespace: 'apps' };
}

export interface Printed {
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Collects what is printed until the end of the test. The runner of tests reports in bytes on the same stream, which
 * pass.
 */
export function printed(t: TestContext): () => Printed {
  const texts = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    const write = process[stream].write.bind(process[stream]);
    const method = mock.method(process[stream], 'write', (text: string | Uint8Array) => {
      if (typeof text !== 'string') return write(text);
      texts[stream] += text;
      return true;
    });
    t.after(() => method.mock.restore());
  }
  return () => ({ ...texts });
}
