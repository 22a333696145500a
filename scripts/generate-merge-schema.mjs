#!/usr/bin/env node
// Writes src/render/kustomize/merge-schema-table.ts: the merge keys that strategic merge needs for the built-in kinds.
// They are extracted from the schema that kustomize embeds (the kyaml module, pinned below), without its other 900 kB.
//
//   node scripts/generate-merge-schema.mjs            needs Go, to find the module in its cache
//
// Form: {kinds: {"apps/v1/Deployment": type}, names: {definition: type}, types: [{field: child}]}. The type -1 means
// that the kind holds no list that is merged. A child has one of these forms:
//
// - "keys": a list that is merged by these keys; "" for a list of scalars that is merged as a set
// - ["keys", type]: the same, with the type of its elements
// - type: a map, or an element, that holds a merged list further down
//
// The field "*" stands for every other field of a map. A list that is not listed is replaced as a whole.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

const MODULE = 'sigs.k8s.io/kustomize/kyaml@v0.21.2';
const BUNDLE = 'openapi/kubernetesapi/data/kubernetes-openapi-union-v1.21.2.bundle-v1.json.gz';
const OUT = join(import.meta.dirname, '../src/render/kustomize/merge-schema-table.ts');

const { Dir } = JSON.parse(execFileSync('go', ['mod', 'download', '-json', MODULE], { encoding: 'utf8', cwd: '/' }));
const bundle = JSON.parse(gunzipSync(readFileSync(join(Dir, BUNDLE))));
const definitions = bundle.definitions;

const nameOf = (schema) => schema.$ref?.replace('#/definitions/', '');
const resolve = (schema) => (schema.$ref ? resolve(definitions[nameOf(schema)]) : schema);

// A type is identified by the name of its definition, or by its place if it is defined inline.
const raw = new Map();
function collect(id, schema) {
  if (raw.has(id)) return;
  const fields = {};
  raw.set(id, fields);
  const { properties = {}, additionalProperties } = resolve(schema);
  for (const [name, property] of Object.entries(properties)) fields[name] = describe(`${id}.${name}`, property);
  if (additionalProperties) fields['*'] = describe(`${id}.*`, additionalProperties);
}
function describe(place, property) {
  const schema = resolve(property);
  if (schema.type === 'array' || schema.type?.[0] === 'array') {
    const strategy = (property['x-kubernetes-patch-strategy'] ?? schema['x-kubernetes-patch-strategy'] ?? '').split(
      ',',
    );
    const source = property.$ref ? schema : property;
    const keys = source['x-kubernetes-list-map-keys'] ?? [source['x-kubernetes-patch-merge-key']].filter(Boolean);
    const element = resolve(schema.items);
    const child =
      element.properties || element.additionalProperties ? (nameOf(schema.items) ?? `${place}[]`) : undefined;
    if (child) collect(child, schema.items);
    return { keys: strategy.includes('merge') ? keys.join(' ') : undefined, child, isList: true };
  }
  const child = schema.properties || schema.additionalProperties ? (nameOf(property) ?? place) : undefined;
  if (child) collect(child, property);
  return { child };
}

const kinds = {};
for (const [id, definition] of Object.entries(definitions)) {
  for (const { group, version, kind } of definition['x-kubernetes-group-version-kind'] ?? []) {
    collect(id, definition);
    kinds[`${group ? `${group}/` : ''}${version}/${kind}`] = id;
  }
}

// Keeps only types that contain a merged list. The elements of a replaced list are not needed.
const useful = new Set();
for (let grown = true; grown;) {
  grown = false;
  for (const [id, fields] of raw) {
    if (useful.has(id)) continue;
    const isUseful = Object.values(fields).some(
      (f) => f.keys !== undefined || (!f.isList && f.child && useful.has(f.child)),
    );
    if (isUseful) {
      useful.add(id);
      grown = true;
    }
  }
}
// Merges equal types, starting with those that have no children: each round compares types by the classes of their
// children, until the number of classes no longer grows.
let same = new Map([...useful].map((id) => [id, '']));
const describeType = (id) => {
  const out = {};
  for (const [name, f] of Object.entries(raw.get(id)).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const child = f.child === undefined ? undefined : same.get(f.child);
    if (f.keys !== undefined) out[name] = child === undefined ? f.keys : [f.keys, child];
    else if (!f.isList && child !== undefined) out[name] = child;
  }
  return out;
};
for (let classes = 0; ;) {
  const next = new Map([...useful].map((id) => [id, JSON.stringify(describeType(id))]));
  const order = [...new Set(next.values())].sort();
  same = new Map([...next].map(([id, text]) => [id, order.indexOf(text)]));
  if (order.length === classes) break;
  classes = order.length;
}
const types = [];
for (const id of useful) types[same.get(id)] = describeType(id);

const byName = ([a], [b]) => (a < b ? -1 : 1);
const known = Object.entries(kinds).sort(byName);
const named = Object.keys(definitions).filter((id) => useful.has(id));
const table = {
  source: MODULE,
  kinds: Object.fromEntries(known.map(([key, id]) => [key, same.get(id) ?? -1])),
  names: Object.fromEntries(named.sort().map((id) => [id, same.get(id)])),
  types,
};
writeFileSync(
  OUT,
  [
    '/** Written by scripts/generate-merge-schema.mjs; its form is described there. */',
    'export const MERGE_SCHEMA_TABLE =',
    `  '${JSON.stringify(table)}';\n`,
  ].join('\n'),
);
console.log(`${OUT}: ${known.length} kinds, ${types.length} types`);
