/**
 * The pure stages of a pass as functions of a size. `at` prepares an input of size n, and returns the computation that
 * is measured; linear-cost.test.ts measures it for n and for four times n.
 */
import { encodeInventory, decodeInventory } from '../../../src/application/inventory.ts';
import { placesHeld } from '../../../src/apply/places-held.ts';
import { bindManifests } from '../../../src/bind/bind.ts';
import type { Kinds } from '../../../src/cluster/kinds.ts';
import type { LiveEntry } from '../../../src/cluster/live.ts';
import type { Change } from '../../../src/diff/changes.ts';
import { compareObject } from '../../../src/diff/compare.ts';
import { diffObjects } from '../../../src/diff/diff.ts';
import { fieldDifferences } from '../../../src/diff/field-difference.ts';
import { mergedWith, withoutLeftovers } from '../../../src/diff/leftovers.ts';
import { assessHealth, worstHealth } from '../../../src/health/health.ts';
import { digestValue } from '../../../src/object/digest.ts';
import { idKey, type ObjectId } from '../../../src/object/identity.ts';
import type { KubeObject, Value, ValueMap } from '../../../src/object/value.ts';
import { readYaml } from '../../../src/object/yaml/read.ts';
import { writeYaml } from '../../../src/object/yaml/write.ts';
import { planChanges } from '../../../src/plan/plan.ts';
import { Announcements } from '../../../src/reconcile/neighbours/announcements.ts';
import { Claims } from '../../../src/reconcile/neighbours/claims.ts';
import { findCycle } from '../../../src/reconcile/neighbours/readiness.ts';
import { renderPath } from '../../../src/render/render.ts';
import { readLsRefs } from '../../../src/source/transport/ref-answers.ts';
import { parseRevision, resolveRevision } from '../../../src/source/revision.ts';
import { composeStatus } from '../../../src/status/compose.ts';
import { changeOf, idOf, liveOf as presentOf, planOptions } from '../../support/changes.ts';
import { ACCEPTED, desiredOf, kindOf, kindsOf, liveOf, ours, owner, type Entry } from '../diff/fixtures.ts';
import { LIMITS, memoryTree } from '../render/memory-tree.ts';
import { passReport } from '../status/pass-report.ts';

export interface Stage {
  /** The stage, and that which there is more of. */
  readonly name: string;
  /** A size at which the fixed part of the cost is small. */
  readonly size: number;
  readonly at: (n: number) => () => unknown;
}

const each = <T>(n: number, make: (index: number) => T): T[] => Array.from({ length: n }, (_, index) => make(index));

const configMap = (index: number, data: ValueMap = { a: 'b' }): KubeObject =>
  ours('v1', 'ConfigMap', `c${index}`, { data });

/** A list of which each item leaves out the second field of its key, which the server sets. */
function keyedSides(n: number, fields: ValueMap = {}): [ReturnType<typeof desiredOf>, ReturnType<typeof liveOf>] {
  const items = (more: ValueMap): Value[] => each(n, (a) => ({ a, ...fields, ...more }));
  const members = each(n, (a) => [`k:${JSON.stringify({ a, b: 'x' })}`, { '.': {}, 'f:a': {} }] as const);
  const entry = (manager: string): Entry => ({
    manager,
    fields: {
      'f:metadata': {
        'f:labels': { 'f:applyset.kubernetes.io/part-of': {} },
        'f:annotations': { 'f:tautline.dev/owner': {} },
      },
      'f:spec': { 'f:items': Object.fromEntries(members) },
    },
  });
  const desired = desiredOf(ours('example.com/v1', 'Thing', 'a', { spec: { items: items({}) } }));
  const body = ours('example.com/v1', 'Thing', 'a', { spec: { items: items({ b: 'x' }) } });
  return [desired, liveOf(body, { owned: null, entries: [entry('tautline'), entry('other')] })];
}

function diffAt(n: number, live: (body: KubeObject) => LiveEntry): () => readonly Change[] {
  const bodies = each(n, (index) => configMap(index));
  const objects = bodies.map(desiredOf);
  const left = each(n, (index) => idOf(`left-${index}`));
  const options = {
    desired: { objects, problems: [], digest: '' },
    live: new Map(bodies.map((body, index) => [idKey(objects[index]?.id as ObjectId), live(body)])),
    inventory: new Map([...objects.map(({ id }) => id), ...left].map((id) => [idKey(id), id])),
    owner,
    memory: ACCEPTED,
    kinds: kindsOf(configMap(0)),
  };
  return () => diffObjects(options);
}

function changesAt(n: number, type: Change['type'], more: Partial<Change> = {}): Change[] {
  return each(n, (index) => {
    const desired = desiredOf(configMap(index));
    return { type, id: desired.id, kind: desired.kind, fields: [], ...(type === 'prune' ? {} : { desired }), ...more };
  });
}

const kustomized = (files: Record<string, string>, kustomization: string) => {
  const tree = memoryTree({ ...files, 'app/kustomization.yaml': kustomization });
  return () => {
    const { problems, manifests } = renderPath({ tree, path: 'app', limits: LIMITS });
    if (problems.length > 0 || manifests.length === 0) throw new Error(JSON.stringify(problems));
  };
};

const YAML_OBJECT = (index: number): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c${index}}\ndata: {a: b}\n`;

const RENDER_STAGES: readonly Stage[] = [
  {
    name: 'render of a folder: objects in one file',
    size: 100,
    at: (n) => {
      const tree = memoryTree({ 'app/all.yaml': each(n, YAML_OBJECT).join('---\n') });
      return () => renderPath({ tree, path: 'app', limits: LIMITS });
    },
  },
  {
    name: 'render of a folder: files',
    size: 100,
    at: (n) => {
      const tree = memoryTree(Object.fromEntries(each(n, (index) => [`app/f${index}.yaml`, YAML_OBJECT(index)])));
      return () => renderPath({ tree, path: 'app', limits: LIMITS });
    },
  },
  {
    name: 'render of a kustomization: files',
    size: 60,
    at: (n) =>
      kustomized(
        Object.fromEntries(each(n, (index) => [`app/f${index}.yaml`, YAML_OBJECT(index)])),
        `namePrefix: p-\nresources:\n${each(n, (index) => `- f${index}.yaml\n`).join('')}`,
      ),
  },
  {
    name: 'render of a kustomization: references to other objects',
    size: 60,
    at: (n) => {
      const pod = (index: number): string => `{containers: [{name: a, envFrom: [{configMapRef: {name: c${index}}}]}]}`;
      const workload = (index: number): string =>
        `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d${index}}\nspec: {template: {spec: ${pod(index)}}}\n`;
      const all = each(n, (index) => `${YAML_OBJECT(index)}---\n${workload(index)}`).join('---\n');
      return kustomized({ 'app/all.yaml': all }, 'namePrefix: p-\nresources: [all.yaml]\n');
    },
  },
  {
    name: 'render of a kustomization: patches, each of another object',
    size: 60,
    at: (n) => {
      const patch = (index: number): string =>
        `- target: {kind: ConfigMap, name: c${index}}\n  patch: '[{"op":"add","path":"/data/x","value":"y"}]'\n`;
      const all = each(n, YAML_OBJECT).join('---\n');
      return kustomized({ 'app/all.yaml': all }, `resources: [all.yaml]\npatches:\n${each(n, patch).join('')}`);
    },
  },
  {
    name: 'render of a kustomization: replacements, each from and to another object',
    size: 60,
    at: (n) => {
      const replacement = (index: number): string =>
        `- source: {kind: ConfigMap, name: c${index}}\n` +
        `  targets: [{select: {kind: ConfigMap, name: c${index}}, fieldPaths: [data.a]}]\n`;
      const all = each(n, YAML_OBJECT).join('---\n');
      return kustomized(
        { 'app/all.yaml': all },
        `resources: [all.yaml]\nreplacements:\n${each(n, replacement).join('')}`,
      );
    },
  },
  ...['name', 'containerPort'].map((key): Stage => ({
    name: `render of a kustomization: items of a patched list with the key ${key}`,
    size: 60,
    at: (n) => {
      const field = key === 'name' ? 'env' : 'ports';
      const item = (index: number): string => `{${key}: ${key === 'name' ? `v${index}` : index + 1}}`;
      const workload = (items: string): string =>
        `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\n` +
        `spec: {template: {spec: {containers: [{name: a, ${field}: [${items}]}]}}}\n`;
      const files = { 'app/d.yaml': workload(each(n, item).join()), 'app/p.yaml': workload(each(n, item).join()) };
      return kustomized(files, 'resources: [d.yaml]\npatches: [{path: p.yaml}]\n');
    },
  })),
  {
    name: 'YAML: size of one object',
    size: 500,
    at: (n) => {
      const value = {
        items: each(n, (index) => ({ name: `n${index}`, text: `words that are ${'long '.repeat(20)}` })),
      };
      return () => {
        const text = writeYaml(value);
        if (!readYaml(text, LIMITS).ok) throw new Error('not read');
      };
    },
  },
  {
    name: 'YAML: size of one text',
    size: 5_000,
    at: (n) => {
      const value = { lines: 'a line\n'.repeat(n), words: `${'word '.repeat(n)}end`, controls: '\x07'.repeat(n) };
      return () => {
        if (!readYaml(writeYaml(value), LIMITS).ok) throw new Error('not read');
      };
    },
  },
];

const DIFF_STAGES: readonly Stage[] = [
  {
    name: 'bind: objects',
    size: 200,
    at: (n) => {
      const manifests = each(n, (index) => {
        const object = configMap(index);
        return { object, digest: digestValue(object), file: 'a.yaml', line: 1 };
      });
      const kinds: Kinds = kindsOf(configMap(0));
      return () =>
        bindManifests({
          manifests: { manifests, problems: [] },
          kinds,
          owner,
          destinationNamespace: undefined,
          reach: { namespace: 'shop', mayCross: false },
        });
    },
  },
  {
    name: 'diff: objects as desired, and objects that left',
    size: 200,
    at: (n) => diffAt(n, (body) => ({ state: 'present', object: liveOf(body) })),
  },
  { name: 'diff: objects that are missing', size: 500, at: (n) => diffAt(n, () => ({ state: 'absent' })) },
  {
    name: 'diff: size of one object',
    size: 500,
    at: (n) => {
      const data = Object.fromEntries(each(n, (index) => [`k${index}`, 'v']));
      const [desired, live] = [desiredOf(configMap(0, data)), liveOf(configMap(0, { ...data, other: 'x' }))];
      return () => compareObject(desired, live, 20);
    },
  },
  {
    name: 'diff: items of a keyed list that leave out a part of the key',
    size: 300,
    at: (n) => {
      const [desired, live] = keyedSides(n);
      return () => compareObject(desired, live, 20);
    },
  },
  {
    name: 'diff: items of a keyed list with parts that Git does not own',
    size: 300,
    at: (n) => {
      const [desired, live] = keyedSides(n, { c: { d: 'e' }, f: ['g'] });
      return () => fieldDifferences(compareObject(desired, live, n).findings, { live: live.body });
    },
  },
  {
    name: 'diff: leftovers of one object',
    size: 300,
    at: (n) => {
      const data = Object.fromEntries(each(n, (index) => [`k${index}`, 'v']));
      const [desired, live] = [desiredOf(configMap(0)), liveOf(configMap(0, data), { owned: null })];
      return () => {
        const merged = mergedWith(desired, live);
        withoutLeftovers(merged.body, merged.leftovers);
      };
    },
  },
];

const CORE_STAGES: readonly Stage[] = [
  {
    name: 'plan: objects to create',
    size: 200,
    at: (n) => {
      const options = planOptions(changesAt(n, 'create'));
      return () => planChanges(options);
    },
  },
  {
    name: 'plan: objects to prune',
    size: 200,
    at: (n) => {
      const options = planOptions(changesAt(n, 'prune', { live: presentOf() }));
      return () => planChanges(options);
    },
  },
  {
    name: 'apply: refused objects, and others that hold a place',
    size: 60,
    at: (n) => {
      const refusal = { code: 'Taken', message: 'the port is taken', fields: ['spec.ports[0].nodePort'] } as const;
      const service = (index: number): KubeObject =>
        ours('v1', 'Service', `s${index}`, { spec: { ports: [{ nodePort: 30_000 + index }] } });
      const refused = each(n, (index): [string, never] => {
        const desired = desiredOf(service(index));
        const change = { type: 'create', id: desired.id, kind: desired.kind, fields: [], desired };
        return [idKey(desired.id), { change, outcome: 'failed', refusal } as never];
      });
      const holders = each(n, (index): Change => {
        const live = liveOf(service(index + n));
        return { type: 'prune', id: live.id, kind: kindOf(live.body), fields: [], live };
      });
      return () => placesHeld(new Map(refused), holders);
    },
  },
  {
    name: 'status: objects that wait',
    size: 200,
    at: (n) => {
      const changes = changesAt(n, 'create');
      const waitingFor = changes.map(({ id }) => ({ id, reason: 'an earlier wave waits' }));
      const report = passReport({ changes, waitingFor, inventory: changes.map(({ id }) => id) });
      return () => composeStatus({}, report, 0);
    },
  },
  {
    name: 'plan: objects that wait for an earlier wave',
    size: 200,
    at: (n) => {
      const changes = each(n, (index) =>
        changeOf('create', { id: idOf(`c${index}`), policy: { phase: index === 0 ? 'PreSync' : 'Sync' } }),
      );
      const options = planOptions(changes, { gate: { unwell: new Map(), isAccepted: () => false } });
      return () => {
        if (planChanges(options).waitingFor.length !== n - 1) throw new Error('they do not wait');
      };
    },
  },
  {
    name: 'inventory: objects',
    size: 500,
    at: (n) => {
      const ids = each(n, (index) => idOf(`c${index}`));
      return () => decodeInventory(encodeInventory(ids) as Value);
    },
  },
  {
    name: 'health: objects',
    size: 500,
    at: (n) => {
      const lives = each(n, (index) => presentOf({ id: idOf(`c${index}`) }));
      return () => worstHealth(lives.map((live) => ({ id: live.id, health: assessHealth(live) })));
    },
  },
  {
    name: 'claims: objects, wanted by two Applications',
    size: 300,
    at: (n) => {
      const ids = each(n, (index) => idOf(`c${index}`));
      return () => {
        const claims = new Claims();
        for (const key of ['apps/a', 'apps/b']) for (const id of ids) claims.claim('', id, key);
        claims.wantOnly('', 'apps/b', new Set());
        claims.keepOnly('', 'apps/a', new Set());
      };
    },
  },
  {
    name: 'announcements: Applications',
    size: 100,
    at: (n) => () => {
      const announcements = new Announcements();
      const keys = each(n, (index) => `apps/a${index}`);
      for (const key of keys) {
        announcements.await(key, 'commit', 0);
        announcements.waitSince(key, [`/ConfigMap/shop/${key}`], 0);
      }
      announcements.askAll(keys[0] ?? '', 'source', { others: keys.slice(1), nowMs: 0 });
      for (const key of keys) {
        const ids = new Set([`/ConfigMap/shop/${key}`]);
        const poll = { begunMs: 0, endedMs: 1 };
        const statement = { commit: 'commit', generation: 1, ids, isComplete: true, poll };
        announcements.announce(key, statement, { nowMs: 1, isNewSpec: false });
      }
    },
  },
  {
    name: 'dependencies: Applications in a row',
    size: 100,
    at: (n) => {
      const stored = new Map(
        each(n, (index): [string, KubeObject] => {
          const spec = { dependsOn: [{ name: `a${index + 1}` }] };
          return [`apps/a${index}`, { apiVersion: 'v1', kind: 'Application', metadata: { namespace: 'apps' }, spec }];
        }),
      );
      return () => findCycle('apps/a0', (key) => stored.get(key));
    },
  },
  {
    name: 'source: references of a repository',
    size: 1_000,
    at: (n) => {
      const line = (text: string): string => (text.length + 4).toString(16).padStart(4, '0') + text;
      const oid = 'a'.repeat(40);
      const body = Buffer.from(`${each(n, (index) => line(`${oid} refs/heads/b${index}\n`)).join('')}0000`);
      return () => resolveRevision(parseRevision('b1'), readLsRefs(body, 'a repository'));
    },
  },
];

export const STAGES: readonly Stage[] = [...RENDER_STAGES, ...DIFF_STAGES, ...CORE_STAGES];
