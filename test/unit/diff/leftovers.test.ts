/** Values that an apply keeps although Git does not have them: found, suspected, and taken out. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  fieldsOfLeftovers,
  inOrderOfRemoval,
  mergedWith,
  suspectGroups,
  withoutLeftovers,
} from '../../../src/diff/leftovers.ts';
import type { Leftover } from '../../../src/diff/merge-applied.ts';
import type { KubeObject, Value, ValueMap } from '../../../src/object/value.ts';
import { desiredOf, fieldsOf, liveOf, ours, type Entry } from './fixtures.ts';

const CONTAINER = { name: 'app', image: 'app:1' };

function deployment(container: ValueMap, spec: ValueMap = {}): KubeObject {
  const template = { spec: { containers: [{ ...CONTAINER, ...container }] } };
  return ours('apps/v1', 'Deployment', 'web', { spec: { template, ...spec } });
}

function service(...ports: Value[]): KubeObject {
  return ours('v1', 'Service', 'web', { spec: { ports } });
}

/** An entry of another manager for the fields of a part of the object. */
function entryOf(part: KubeObject, more: Partial<Entry> = {}): Entry {
  const { metadata: _, ...rest } = part;
  return { manager: 'theirs', fields: fieldsOf({ ...rest, metadata: {} }), ...more };
}

const pathsOf = (leftovers: readonly Leftover[]): string[] => leftovers.map(({ path }) => path.join('/'));

test('defaults and values of other managers are left over, values that only we own are not', () => {
  const git = deployment({}, { strategy: { type: 'Recreate' } });
  const body = deployment({ tty: true, stdin: true }, { strategy: { rollingUpdate: { maxSurge: 1 } }, paused: true });
  const applied = deployment({ tty: true }, { strategy: {} });
  const merged = mergedWith(
    desiredOf(git),
    liveOf(body, { owned: applied, entries: [entryOf(deployment({ stdin: true }))] }),
  );
  assert.deepEqual(pathsOf(merged.leftovers), [
    'spec/template/spec/containers/0/stdin',
    'spec/strategy/rollingUpdate',
    'spec/paused',
  ]);
  const [container] = (merged.body as unknown as { spec: { template: { spec: { containers: ValueMap[] } } } }).spec
    .template.spec.containers;
  assert.deepEqual({ ...container }, { ...CONTAINER, stdin: true }, 'tty leaves with Git');
});

test('the part of an absent value that another manager owns stays', () => {
  const whole = deployment(
    {},
    { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } } },
  );
  const part = { ...deployment({}), spec: { strategy: { rollingUpdate: { maxSurge: 1 } } } };
  const merged = mergedWith(desiredOf(deployment({})), liveOf(whole, { entries: [entryOf(part)] }));
  assert.deepEqual(pathsOf(merged.leftovers), ['spec/strategy']);
  assert.deepEqual(JSON.parse(JSON.stringify(merged.leftovers[0]?.value)), { rollingUpdate: { maxSurge: 1 } });
});

test('items of a keyed list stand in the order of the server, and are left over by their keys', () => {
  const git = service({ name: 'a', port: 1, protocol: 'TCP' }, { name: 'b', port: 2 });
  const foreign = [
    { name: 'x', port: 8, protocol: 'TCP' },
    { name: 'y', port: 9, protocol: 'UDP' },
  ];
  const body = service(foreign[0] ?? null, { name: 'b', port: 2, protocol: 'TCP' }, foreign[1] ?? null, {
    name: 'a',
    port: 1,
    protocol: 'TCP',
  });
  const merged = mergedWith(desiredOf(git), liveOf(body, { owned: git, entries: [entryOf(service(...foreign))] }));
  assert.deepEqual(
    (merged.body as unknown as { spec: { ports: { name: string }[] } }).spec.ports.map(({ name }) => name),
    ['x', 'y', 'a', 'b'],
  );
  assert.deepEqual(pathsOf(merged.leftovers), ['spec/ports/0', 'spec/ports/1']);
  assert.equal(merged.leftovers[1]?.members[2], 'k:{"port":9,"protocol":"UDP"}');
});

test('an atomic map and an atomic list are replaced as a whole', () => {
  const git = deployment({ command: ['a'] }, { selector: { matchLabels: { app: 'a' } } });
  const body = deployment({ command: ['b', 'c'] }, { selector: { matchLabels: { app: 'b', more: 'c' } } });
  assert.deepEqual(mergedWith(desiredOf(git), liveOf(body)).leftovers, []);
});

test('metadata and status are never left over', () => {
  const body = {
    ...deployment({}),
    metadata: { ...deployment({}).metadata, finalizers: ['theirs'] },
    status: { replicas: 1 },
  };
  assert.deepEqual(mergedWith(desiredOf(deployment({})), liveOf(body, { owned: deployment({}) })).leftovers, []);
});

test('an ignored field is never left over, neither by its path nor by its manager', () => {
  const body = deployment({ tty: true, stdin: true }, { paused: true, replicas: 2 });
  const live = liveOf(body, {
    owned: deployment({}),
    entries: [entryOf(deployment({ stdin: true }), { manager: 'ignored' })],
  });
  const ignored = {
    paths: [
      ['spec', 'paused'],
      ['spec', 'template', 'spec', 'containers', '*', 'tty'],
    ],
    managers: ['ignored'],
    digest: 'i',
  };
  const merged = mergedWith({ ...desiredOf(deployment({})), ignored }, live);
  assert.deepEqual(pathsOf(merged.leftovers), ['spec/replicas']);
});

test('the leftovers nearest to the fields that the server names are suspected first', () => {
  const body = deployment({ livenessProbe: { tcpSocket: { port: 1 }, periodSeconds: 3 }, tty: true }, { paused: true });
  const merged = mergedWith(
    desiredOf(deployment({ livenessProbe: { httpGet: { port: 1 } } })),
    liveOf(body, { owned: null }),
  );
  const at = 'spec/template/spec/containers/0';
  const groups = (...fields: string[]): string[][] => suspectGroups(merged, fields).map(pathsOf);
  const probe = [`${at}/livenessProbe/tcpSocket`, `${at}/livenessProbe/periodSeconds`];
  const name = 'spec.template.spec.containers[0].livenessProbe';
  assert.deepEqual(groups(`${name}.tcpSocket.port`)[0], probe.slice(0, 1));
  assert.deepEqual(groups(`${name}.httpGet`), [probe, [...probe, `${at}/tty`], [...probe, `${at}/tty`, 'spec/paused']]);
  assert.deepEqual(
    groups('spec.unknown', `${name}.tcpSocket`)[0]?.length,
    4,
    'a field by another name counts as its parent',
  );
  assert.deepEqual(groups(), [[...probe, `${at}/tty`, 'spec/paused']]);
});

test('values that are certain to be no default are removed first, and applied values last', () => {
  const body = deployment({ livenessProbe: { timeoutSeconds: 1, tcpSocket: { port: 1 }, periodSeconds: 3, exec: {} } });
  const probe = (fields: ValueMap, more: Partial<Entry>): Entry => entryOf(deployment({ livenessProbe: fields }), more);
  const entries = [probe({ exec: {} }, {}), probe({ periodSeconds: 3 }, { operation: 'Update' })];
  const git = deployment({ livenessProbe: { httpGet: {} } });
  const { leftovers } = mergedWith(desiredOf(git), liveOf(body, { owned: deployment({}), entries }));
  const names = inOrderOfRemoval(leftovers).map(({ path }) => path[path.length - 1]);
  assert.deepEqual(names, ['tcpSocket', 'periodSeconds', 'timeoutSeconds', 'exec']);
});

test('a value that another manager has applied can be removed by its parts, without the keys of an item', () => {
  const part = deployment({ resources: { limits: { cpu: '1', memory: '1Gi' } } });
  const { leftovers } = mergedWith(
    desiredOf(deployment({})),
    liveOf(part, { owned: deployment({}), entries: [entryOf(part)] }),
  );
  assert.deepEqual(pathsOf(leftovers[0]?.parts ?? []), ['spec/template/spec/containers/0/resources/limits']);
  assert.deepEqual(pathsOf(leftovers[0]?.parts[0]?.parts ?? []).length, 2);
  const ports = service({ name: 'x', port: 8, protocol: 'TCP' });
  const [item] = mergedWith(
    desiredOf(service()),
    liveOf(ports, { owned: service(), entries: [entryOf(ports)] }),
  ).leftovers;
  assert.deepEqual(pathsOf(item?.parts ?? []), ['spec/ports/0/name']);
});

test('leftovers are taken out of the object, and become a field set', () => {
  const body = deployment({ tty: true, ports: [{ containerPort: 1, protocol: 'TCP' }] }, { paused: true });
  const live = liveOf(body, {
    owned: deployment({}),
    entries: [entryOf(deployment({ ports: [{ containerPort: 1, protocol: 'TCP' }] }))],
  });
  const git = deployment({ ports: [{ containerPort: 2, protocol: 'TCP' }] });
  const merged = mergedWith(desiredOf(git), live);
  const left = withoutLeftovers(merged.body, merged.leftovers) as unknown as { spec: unknown };
  assert.deepEqual(JSON.parse(JSON.stringify(left.spec)), JSON.parse(JSON.stringify(git['spec'])));
  assert.deepEqual(JSON.parse(JSON.stringify(fieldsOfLeftovers(merged.leftovers))), {
    'f:spec': {
      'f:paused': {},
      'f:template': {
        'f:spec': {
          'f:containers': {
            'k:{"name":"app"}': { 'f:tty': {}, 'f:ports': { 'k:{"containerPort":1,"protocol":"TCP"}': { '.': {} } } },
          },
        },
      },
    },
  });
});
