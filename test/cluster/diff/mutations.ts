/** Ways in which a live object, or a manifest, comes to differ; each tried on every object it fits. */
import type { DesiredObject } from '../../../src/bind/desired.ts';
import type { LiveObject } from '../../../src/cluster/live.ts';
import { formatPointer, valueAtPointer } from '../../../src/object/pointer.ts';
import { cloneValue, isMap, type KubeObject, type Value, type ValueMap } from '../../../src/object/value.ts';
import { apply, pathOf, type Answer, type Api } from './api.ts';

export interface Mutation {
  readonly title: string;
  run(): Promise<Answer>;
}

/** A small generator (mulberry32), so that every run tries the same. */
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

/** Every place below the spec-like parts, labels, annotations and finalizers. */
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

interface LiveMutationOptions {
  readonly api: Api;
  readonly desired: DesiredObject;
  readonly live: LiveObject;
  readonly random: () => number;
  /** Places tried of each way. */
  readonly perWay: number;
}

/** What people, controllers and other tools do to a live object. Long because it is a list: one entry a way. */
export function liveMutations({ api, desired, live, random, perWay }: LiveMutationOptions): Mutation[] {
  const path = pathOf(desired.kind, desired.id);
  const patch = (operations: Value, manager = 'editor') =>
    api.send('PATCH', `${path}?fieldManager=${manager}`, { body: operations, type: 'application/json-patch+json' });
  const merge = (body: Value, manager = 'editor') =>
    api.send('PATCH', `${path}?fieldManager=${manager}`, { body, type: 'application/merge-patch+json' });
  const places = placesOf(live.body);
  const scalars = places.filter(({ value }) => typeof value !== 'object' || value === null);
  const lists = places.filter(({ value }) => Array.isArray(value) && value.length > 1);
  const desiredScalars = placesOf(desired.body).filter(({ value }) => typeof value !== 'object' && value !== '');
  const desiredPlaces = placesOf(desired.body);
  const pick = <T>(items: readonly T[]) => sample(items, perWay, random);
  const replace = (place: Place) => [{ op: 'replace', path: formatPointer(place.tokens), value: altered(place.value) }];
  const mutations: Mutation[] = [];
  const add = (title: string, run: () => Promise<Answer>) => mutations.push({ title, run });

  for (const place of pick(scalars)) {
    add(`value changed: ${formatPointer(place.tokens)}`, () => patch(replace(place)));
  }
  for (const place of pick(scalars)) {
    add(`value changed by Update under our own name: ${formatPointer(place.tokens)}`, () =>
      patch(replace(place), 'tautline'),
    );
  }
  for (const place of pick(places)) {
    add(`removed: ${formatPointer(place.tokens)}`, () => patch([{ op: 'remove', path: formatPointer(place.tokens) }]));
  }
  for (const place of pick(lists)) {
    const reversed = [...(place.value as Value[])].reverse();
    add(`reordered: ${formatPointer(place.tokens)}`, () =>
      patch([{ op: 'replace', path: formatPointer(place.tokens), value: reversed }]),
    );
  }
  for (const place of pick(desiredScalars)) {
    const body = withValue(desired.body, place.tokens, altered(place.value));
    add(`applied by another with force: ${formatPointer(place.tokens)}`, () =>
      apply(api, desired, body, { manager: 'other' }),
    );
    add(`applied in our name: ${formatPointer(place.tokens)}`, () => apply(api, desired, body));
  }
  for (const place of pick(desiredPlaces)) {
    add(`applied in our name without ${formatPointer(place.tokens)}`, () =>
      apply(api, desired, without(desired.body, place.tokens)),
    );
  }
  for (const place of pick(desiredScalars)) {
    const inLive = valueAtPointer(live.body, place.tokens);
    if (inLive === undefined || typeof inLive === 'object' || String(inLive).startsWith('sha256:')) continue;
    add(`stolen and restored: ${formatPointer(place.tokens)}`, async () => {
      const answer = await patch(replace({ tokens: place.tokens, value: inLive }));
      if (answer.code >= 300) return answer;
      return patch([{ op: 'replace', path: formatPointer(place.tokens), value: inLive }]);
    });
  }
  const [scalar] = sample(scalars, 1, random);
  add('managedFields wiped', () => merge({ metadata: { managedFields: [{}] } }));
  if (scalar) {
    add(`managedFields wiped, then changed: ${formatPointer(scalar.tokens)}`, async () => {
      await merge({ metadata: { managedFields: [{}] } });
      return patch(replace(scalar));
    });
  }
  add('applied alike by another', () => apply(api, desired, desired.body, { manager: 'other' }));
  add('foreign label and annotation', () => merge({ metadata: { labels: { x: 'y' }, annotations: { x: 'y' } } }));
  add('foreign finalizer', () => merge({ metadata: { finalizers: ['foreign.dev/f', ...finalizersOf(live)] } }));
  add('owner label removed', () => merge({ metadata: { labels: { 'applyset.kubernetes.io/part-of': null } } }));
  add('owner label changed', () => merge({ metadata: { labels: { 'applyset.kubernetes.io/part-of': 'x' } } }));
  add('owner annotation removed', () => merge({ metadata: { annotations: { 'tautline.dev/owner': null } } }));
  for (const place of places) {
    const pointer = formatPointer(place.tokens);
    if (pointer === '/data') add('foreign data', () => merge({ data: { foreign: 'Zm9v' } }));
    if (/\/containers$/.test(pointer)) {
      add('foreign container', () => patch([{ op: 'add', path: `${pointer}/-`, value: { name: 'f', image: 'f' } }]));
      add('foreign container in front', () =>
        patch([{ op: 'add', path: `${pointer}/0`, value: { name: 'f', image: 'f' } }]),
      );
    }
    if (/\/env$/.test(pointer)) {
      add(`foreign variable: ${pointer}`, () => patch([{ op: 'add', path: `${pointer}/0`, value: { name: 'F' } }]));
    }
  }
  return mutations;
}

/** What a new commit does to a manifest. */
export function manifestMutations(body: KubeObject, random: () => number, perWay: number): [string, KubeObject][] {
  const places = placesOf(body).filter(({ tokens }) => !MARKS.some((mark) => tokens.includes(mark)));
  const scalars = places.filter(({ value }) => typeof value !== 'object' || value === null);
  const lists = places.filter(({ value }) => Array.isArray(value) && value.length > 1);
  const maps = places.filter(({ value }) => isMap(value));
  const result: [string, KubeObject][] = [];
  for (const { tokens } of sample(places, perWay * 2, random)) {
    result.push([`manifest without ${formatPointer(tokens)}`, without(body, tokens)]);
  }
  for (const { tokens, value } of sample(scalars, perWay, random)) {
    result.push([`manifest with another ${formatPointer(tokens)}`, withValue(body, tokens, altered(value))]);
  }
  for (const { tokens, value } of sample(lists, perWay, random)) {
    const reversed = [...(value as Value[])].reverse();
    result.push([`manifest with ${formatPointer(tokens)} reordered`, withValue(body, tokens, reversed)]);
  }
  for (const { tokens } of sample(maps, perWay, random)) {
    for (const [key, value] of ADDITIONS) {
      result.push([`manifest with ${formatPointer(tokens)}/${key}`, withValue(body, [...tokens, key], value)]);
    }
  }
  for (const { tokens } of sample(places, perWay, random)) {
    for (const value of EMPTY) {
      result.push([
        `manifest with ${formatPointer(tokens)} = ${JSON.stringify(value)}`,
        withValue(body, tokens, cloneValue(value)),
      ]);
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
];

function finalizersOf(live: LiveObject): Value[] {
  const finalizers = live.body.metadata['finalizers'];
  return Array.isArray(finalizers) ? finalizers : [];
}
