/**
 * Makes varied objects from templates: a seed decides which optional fields are present and which values they have.
 *
 * Invariant: the same seed gives the same objects; every object is one that the API server accepts.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { parseAllDocuments } from 'yaml';
import type { DesiredObject } from '../../../src/bind/desired.ts';
import { isMap, newMap, type KubeObject, type Value, type ValueMap } from '../../../src/object/value.ts';
import { randomOf } from './mutations.ts';

const FILES = ['workloads.yaml', 'core.yaml', 'cluster.yaml', 'custom.yaml'];
const OFTEN = 0.5;
const SELDOM = 0.1;

/** `rounds` objects of each template, ordered by round. */
export async function generateObjects(rounds: number, seed: number): Promise<KubeObject[]> {
  const files = await Promise.all(FILES.map((file) => readObjects(new URL(`templates/${file}`, import.meta.url))));
  const random = randomOf(seed);
  const objects: KubeObject[] = [];
  for (let round = 1; round <= rounds; round++) {
    for (const [fragments, ...templates] of files) {
      assert.ok(fragments?.apiVersion === 'fragments');
      for (const template of templates) {
        objects.push(expand(template, { fragments, random, number: round }) as KubeObject);
      }
    }
  }
  return objects;
}

/** For each object, the next one of the same template. Objects of a template have the same name but for a number. */
export function siblingsOf(objects: readonly DesiredObject[]): Map<DesiredObject, KubeObject> {
  const byTemplate = new Map<string, DesiredObject[]>();
  for (const object of objects) {
    const template = `${object.body.apiVersion} ${object.id.kind} ${object.id.name.replace(/\d+/, '')}`;
    byTemplate.set(template, [...(byTemplate.get(template) ?? []), object]);
  }
  const siblings = new Map<DesiredObject, KubeObject>();
  for (const alike of byTemplate.values()) {
    for (const [index, object] of alike.entries()) {
      const sibling = alike[(index + 1) % alike.length];
      if (sibling && sibling !== object) siblings.set(object, sibling.body);
    }
  }
  return siblings;
}

/** The documents of a YAML file in this folder. */
export async function readObjects(file: URL): Promise<KubeObject[]> {
  const text = await readFile(file, 'utf8');
  return parseAllDocuments(text, { intAsBigInt: true }).map((document) => {
    assert.deepEqual(document.errors, []);
    return asValue(document.toJS()) as KubeObject;
  });
}

interface Context {
  readonly fragments: ValueMap;
  readonly random: () => number;
  readonly number: number;
}

function expand(template: Value, context: Context): Value {
  if (typeof template === 'string') return template.replaceAll('${n}', String(context.number));
  if (Array.isArray(template)) return expandList(template, context);
  if (!isMap(template)) return template;
  const map = newMap();
  const keys = Object.keys(template);
  for (const key of keys) {
    const value = template[key] ?? null;
    if (key === '~one' || key === '~use') {
      const chosen = key === '~use' ? (context.fragments[String(value)] ?? null) : pick(value as Value[], context);
      const expanded = expand(chosen, context);
      if (keys.length === 1 || !isMap(expanded)) return expanded;
      Object.assign(map, expanded);
      continue;
    }
    const [, name = key, marks = ''] = /^(.*?)(\??\??)$/s.exec(key) ?? [];
    const chance = marks === '' ? 1 : marks === '?' ? OFTEN : SELDOM;
    if (context.random() < chance) map[name] = expand(value, context);
  }
  return map;
}

function expandList(items: readonly Value[], context: Context): Value[] {
  const list: Value[] = [];
  for (const item of items) {
    const optional = isMap(item) ? item['~maybe'] : undefined;
    if (optional === undefined) list.push(expand(item, context));
    else if (context.random() < OFTEN) list.push(expand(optional, context));
  }
  return list;
}

function pick(values: readonly Value[], { random }: Context): Value {
  return values[Math.floor(random() * values.length)] ?? null;
}

function asValue(value: unknown): Value {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (Array.isArray(value)) return value.map(asValue);
  if (typeof value !== 'object' || value === null) return value as Value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, asValue(item)]));
}
