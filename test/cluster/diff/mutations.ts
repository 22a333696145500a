/** Mutations of live objects and of manifests. Each is tried on every object that it fits. */
import type { DesiredObject } from '../../../src/bind/desired.ts';
import type { LiveObject } from '../../../src/cluster/live.ts';
import { formatPointer, valueAtPointer } from '../../../src/object/pointer.ts';
import {
  cloneValue,
  isEqualValue,
  isMap,
  type KubeObject,
  type Value,
  type ValueMap,
} from '../../../src/object/value.ts';
import { apply, pathOf, type Answer, type Api } from './api.ts';

export interface Mutation {
  /** One of `LIVE_WAYS`. */
  readonly way: LiveWay;
  readonly title: string;
  readonly run: () => Promise<Answer>;
}

/** The mutations of a live object, with and without an effect. */
export const LIVE_WAYS = [
  'value changed',
  'value changed by Update under our own name',
  'removed',
  'reordered',
  'replaced by PUT',
  'scaled',
  'applied by another with force',
  'applied in our name',
  'applied in our name without a part',
  'applied in our name with a part of a sibling',
  'applied by another with a part of a sibling',
  'stolen and restored',
  'managedFields wiped',
  'managedFields wiped and changed',
  'written alike',
  'applied alike by another',
  'foreign label and annotation',
  'foreign finalizer',
  'owner label removed',
  'owner label changed',
  'owner annotation removed',
  'foreign data',
  'foreign container',
  'foreign variable',
  'item duplicated',
] as const;
export type LiveWay = (typeof LIVE_WAYS)[number];

/** Mutations of more than one request. */
export const STEPPED: ReadonlySet<LiveWay> = new Set(['managedFields wiped and changed', 'stolen and restored']);

/** The mutations of a manifest, as a new commit makes them. */
export const MANIFEST_WAYS = [
  'left out',
  'another value',
  'in another order',
  'added',
  'emptied',
  'as a sibling',
] as const;
export type ManifestWay = (typeof MANIFEST_WAYS)[number];

/** A small random generator (mulberry32) with a seed, so that every run tries the same mutations. */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export function sample<T>(items: readonly T[], count: number, random: () => number): T[] {
  const rest = [...items];
  const picked: T[] = [];
  while (rest.length > 0 && picked.length < count) picked.push(...rest.splice(Math.floor(random() * rest.length), 1));
  return picked;
}

interface Place {
  readonly tokens: readonly string[];
  readonly value: Value;
}

/** Every place in labels, annotations, finalizers and all fields beside metadata and status. */
export function placesOf(body: KubeObject): Place[] {
  const places: Place[] = [];
  const visit = (value: Value, tokens: string[]): void => {
    if (tokens.length > 0) places.push({ tokens, value });
    if (Array.isArray(value)) value.forEach((item, index) => visit(item, [...tokens, String(index)]));
    else if (isMap(value)) for (const key of Object.keys(value)) visit(value[key] ?? null, [...tokens, key]);
  };
  for (const key of Object.keys(body)) {
    if (!['apiVersion', 'kind', 'metadata', 'status'].includes(key)) visit(body[key] ?? null, [key]);
  }
  for (const key of ['labels', 'annotations', 'finalizers']) {
    const value = body.metadata[key];
    if (value !== undefined) visit(value, ['metadata', key]);
  }
  return places;
}

export function altered(value: Value): Value {
  if (typeof value === 'boolean') return !value;
  if (typeof value === 'number') return value + 1;
  if (typeof value === 'bigint') return value + 1n;
  if (typeof value !== 'string') return value;
  if (/^sha256:/.test(value)) return 'Y2hhbmdlZA==';
  if (/^\d+$/.test(value)) return String(Number(value) + 1);
  if (/^\d+(m|Mi|Gi|%)$/.test(value)) return value.replace(/^\d+/, (digits) => String(Number(digits) * 2));
  return KNOWN_OTHERS.get(value) ?? `${value}x`;
}

const KNOWN_OTHERS: ReadonlyMap<string, string> = new Map([
  ['TCP', 'UDP'],
  ['Always', 'IfNotPresent'],
  ['IfNotPresent', 'Always'],
  ['ClusterIP', 'NodePort'],
  ['RollingUpdate', 'OnDelete'],
  ['Ignore', 'Fail'],
  ['Cluster', 'Local'],
  ['NoSchedule', 'NoExecute'],
  ['Retain', 'Delete'],
  ['ClusterFirst', 'Default'],
  ['Equal', 'Exists'],
]);

export function without(body: KubeObject, tokens: readonly string[]): KubeObject {
  return edit(body, tokens, (holder, key) => {
    if (Array.isArray(holder)) holder.splice(Number(key), 1);
    else delete holder[key];
  });
}

export function withValue(body: KubeObject, tokens: readonly string[], value: Value): KubeObject {
  return edit(body, tokens, (holder, key) => {
    if (Array.isArray(holder)) holder[Number(key)] = value;
    else holder[key] = value;
  });
}

function edit(
  body: KubeObject,
  tokens: readonly string[],
  change: (holder: Value[] | ValueMap, key: string) => void,
): KubeObject {
  const copy = cloneValue(body);
  const holder = valueAtPointer(copy, tokens.slice(0, -1));
  if (Array.isArray(holder) || isMap(holder)) change(holder, tokens[tokens.length - 1] ?? '');
  return copy;
}

/** Values of a sibling that this object lacks or has differently, in maps and lists that both objects have. */
function foreignParts(body: KubeObject, sibling: KubeObject | undefined): Place[] {
  if (!sibling) return [];
  return placesOf(sibling).filter(({ tokens, value }) => {
    if (MARKS.some((mark) => tokens.includes(mark))) return false;
    const holder = valueAtPointer(body, tokens.slice(0, -1));
    const isPlace = isMap(holder) || (Array.isArray(holder) && Number(tokens[tokens.length - 1]) <= holder.length);
    return isPlace && !isEqualValue(valueAtPointer(body, tokens), value);
  });
}

interface LiveMutationOptions {
  readonly api: Api;
  readonly desired: DesiredObject;
  readonly live: LiveObject;
  /** Another object of the same template, to take parts from. */
  readonly sibling: KubeObject | undefined;
  readonly random: () => number;
  /** The number of places tried for each mutation. */
  readonly perWay: number;
}

/** Mutations of a live object, as people, controllers and other tools make them. Long, since it is a list. */
export function liveMutations({ api, desired, live, sibling, random, perWay }: LiveMutationOptions): Mutation[] {
  const path = pathOf(desired.kind, desired.id);
  const patch = (operations: Value, manager = 'editor') =>
    api.send('PATCH', `${path}?fieldManager=${manager}`, { body: operations, type: 'application/json-patch+json' });
  const merge = (body: Value, { manager = 'editor', subresource = '' } = {}) =>
    api.send('PATCH', `${path}${subresource}?fieldManager=${manager}`, { body, type: 'application/merge-patch+json' });
  const replace = (place: Place) => [{ op: 'replace', path: formatPointer(place.tokens), value: altered(place.value) }];
  const places = placesOf(live.body);
  const scalars = places.filter(({ value }) => typeof value !== 'object' || value === null);
  const lists = places.filter(({ value }) => Array.isArray(value) && value.length > 1);
  const items = places.filter(({ value, tokens }) => isMap(value) && /^\d+$/.test(tokens[tokens.length - 1] ?? ''));
  const desiredPlaces = placesOf(desired.body);
  const desiredScalars = desiredPlaces.filter(({ value }) => typeof value !== 'object' && value !== '');
  const mutations: Mutation[] = [];
  const add = (way: LiveWay, place: Place | undefined, run: () => Promise<Answer>) =>
    mutations.push({ way, title: place ? `${way}: ${formatPointer(place.tokens)}` : way, run });
  const each = (way: LiveWay, of: readonly Place[], run: (place: Place) => Promise<Answer>) => {
    for (const place of sample(of, perWay, random)) add(way, place, () => run(place));
  };
  const once = (way: LiveWay, run: () => Promise<Answer>) => add(way, undefined, run);

  each('value changed', scalars, (place) => patch(replace(place)));
  each('value changed by Update under our own name', scalars, (place) => patch(replace(place), 'tautline'));
  each('removed', places, ({ tokens }) => patch([{ op: 'remove', path: formatPointer(tokens) }]));
  each('reordered', lists, ({ tokens, value }) =>
    patch([{ op: 'replace', path: formatPointer(tokens), value: [...(value as Value[])].reverse() }]),
  );
  each('replaced by PUT', scalars, async ({ tokens, value }) => {
    const { body } = await api.send('GET', path);
    return api.send('PUT', `${path}?fieldManager=editor`, {
      body: withValue(body as KubeObject, tokens, altered(value)),
    });
  });
  once('scaled', () => merge({ spec: { replicas: 7 } }, { subresource: '/scale' }));
  each('applied by another with force', desiredScalars, ({ tokens, value }) =>
    apply(api, desired, withValue(desired.body, tokens, altered(value)), { manager: 'other' }),
  );
  each('applied in our name', desiredScalars, ({ tokens, value }) =>
    apply(api, desired, withValue(desired.body, tokens, altered(value))),
  );
  each('applied in our name without a part', desiredPlaces, ({ tokens }) =>
    apply(api, desired, without(desired.body, tokens)),
  );
  for (const [way, manager] of [
    ['applied in our name with a part of a sibling', 'tautline'],
    ['applied by another with a part of a sibling', 'other'],
  ] as const) {
    each(way, foreignParts(desired.body, sibling), ({ tokens, value }) =>
      apply(api, desired, withValue(desired.body, tokens, value), { manager }),
    );
  }
  const restorable = desiredScalars.flatMap(({ tokens }) => {
    const value = valueAtPointer(live.body, tokens);
    const isKnown = value !== undefined && typeof value !== 'object' && !String(value).startsWith('sha256:');
    return isKnown ? [{ tokens, value }] : [];
  });
  each('stolen and restored', restorable, async (place) => {
    const answer = await patch(replace(place));
    if (answer.code >= 300) return answer;
    return patch([{ op: 'replace', path: formatPointer(place.tokens), value: place.value }]);
  });
  each('written alike', restorable, ({ tokens, value }) =>
    patch([{ op: 'replace', path: formatPointer(tokens), value }]),
  );
  each('item duplicated', items, ({ tokens, value }) =>
    patch([{ op: 'add', path: formatPointer([...tokens.slice(0, -1), '-']), value }]),
  );
  once('managedFields wiped', () => merge({ metadata: { managedFields: [{}] } }));
  each('managedFields wiped and changed', scalars, async (place) => {
    await merge({ metadata: { managedFields: [{}] } });
    return patch(replace(place));
  });
  once('applied alike by another', () => apply(api, desired, desired.body, { manager: 'other' }));
  once('foreign label and annotation', () => merge({ metadata: { labels: { x: 'y' }, annotations: { x: 'y' } } }));
  once('foreign finalizer', () => merge({ metadata: { finalizers: ['foreign.dev/f', ...finalizersOf(live)] } }));
  once('owner label removed', () => merge({ metadata: { labels: { 'applyset.kubernetes.io/part-of': null } } }));
  once('owner label changed', () => merge({ metadata: { labels: { 'applyset.kubernetes.io/part-of': 'x' } } }));
  once('owner annotation removed', () => merge({ metadata: { annotations: { 'tautline.dev/owner': null } } }));
  for (const place of places) {
    const pointer = formatPointer(place.tokens);
    const insert = (at: string, value: Value) => () => patch([{ op: 'add', path: `${pointer}/${at}`, value }]);
    if (pointer === '/data' && isMap(place.value)) once('foreign data', () => merge({ data: { foreign: 'Zm9v' } }));
    if (/\/containers$/.test(pointer)) {
      add('foreign container', place, insert(sample(['-', '0'], 1, random)[0] ?? '-', { name: 'f', image: 'f' }));
    }
    if (/\/env$/.test(pointer)) add('foreign variable', place, insert('0', { name: 'F' }));
  }
  return mutations;
}

export interface ManifestMutation {
  readonly way: ManifestWay;
  readonly title: string;
  readonly body: KubeObject;
}

interface ManifestMutationOptions {
  readonly body: KubeObject;
  readonly sibling: KubeObject | undefined;
  readonly random: () => number;
  readonly perWay: number;
}

/** Mutations of a manifest, as a new commit makes them. */
export function manifestMutations(options: ManifestMutationOptions): ManifestMutation[] {
  const { body, sibling, random, perWay } = options;
  const places = placesOf(body).filter(({ tokens }) => !MARKS.some((mark) => tokens.includes(mark)));
  const scalars = places.filter(({ value }) => typeof value !== 'object' || value === null);
  const lists = places.filter(({ value }) => Array.isArray(value) && value.length > 1);
  const maps = places.filter(({ value }) => isMap(value));
  const result: ManifestMutation[] = [];
  const add = (way: ManifestWay, tokens: readonly string[], changed: KubeObject) =>
    result.push({ way, title: `manifest with ${formatPointer(tokens)} ${way}`, body: changed });
  for (const { tokens } of sample(places, perWay * 2, random)) add('left out', tokens, without(body, tokens));
  for (const { tokens, value } of sample(scalars, perWay, random)) {
    add('another value', tokens, withValue(body, tokens, altered(value)));
  }
  for (const { tokens, value } of sample(lists, perWay, random)) {
    add('in another order', tokens, withValue(body, tokens, [...(value as Value[])].reverse()));
  }
  for (const { tokens, value } of sample(foreignParts(body, sibling), perWay * 8, random)) {
    add('as a sibling', tokens, withValue(body, tokens, value));
  }
  for (const { tokens } of sample(maps, perWay, random)) {
    for (const [key, value] of ADDITIONS) add('added', [...tokens, key], withValue(body, [...tokens, key], value));
  }
  for (const { tokens } of sample(places, perWay, random)) {
    for (const value of EMPTY) {
      const changed = { way: 'emptied' as const, body: withValue(body, tokens, cloneValue(value)) };
      result.push({ ...changed, title: `manifest with ${formatPointer(tokens)} = ${JSON.stringify(value)}` });
    }
  }
  return result;
}

const MARKS = ['applyset.kubernetes.io/part-of', 'tautline.dev/owner'];
const EMPTY: readonly Value[] = [null, '', false, 0, [], {}];
const ADDITIONS: readonly [string, Value][] = [
  ['added', 'x'],
  ['replicas', 1],
  ['hostNetwork', false],
  ['protocol', 'TCP'],
  ['env', []],
  ['labels', {}],
  ['imagePullPolicy', ''],
  ['readOnly', false],
  ['optional', false],
  ['mode', 0],
  ['name', ''],
  ['default', ''],
  ['minimum', 0],
  ['from', []],
];

function finalizersOf(live: LiveObject): Value[] {
  const finalizers = live.body.metadata['finalizers'];
  return Array.isArray(finalizers) ? finalizers : [];
}
