/** Reads files that a person names on the command line: Applications, ConfigMaps and Secrets. */
import { readFileSync } from 'node:fs';
import { parseApplication } from '../application/parse.ts';
import type { Application } from '../application/schema.ts';
import { APPLICATION_GROUP, APPLICATION_KIND } from '../object/applyset.ts';
import { groupOf } from '../object/identity.ts';
import { isKubeObject, mapAt, stringAt, type KubeObject } from '../object/value.ts';
import { explainYaml } from '../object/yaml/explain.ts';
import { nodeToValue } from '../object/yaml/node.ts';
import { readYaml } from '../object/yaml/read.ts';
import type { Answer } from '../render/needs.ts';
import { LOCAL_LIMITS } from './local-limits.ts';

export type Read<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; /** A sentence. */ readonly problem: string };

/** The objects of a YAML or JSON file. */
function readObjectsOf(filename: string): Read<KubeObject[]> {
  let text: string;
  try {
    text = readFileSync(filename, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    return { ok: false, problem: `${filename} cannot be read (${code})` };
  }
  const read = readYaml(text, { maxNodes: LOCAL_LIMITS.maxNodes, maxDepth: LOCAL_LIMITS.maxDepth });
  if (!read.ok) {
    const { line, message } = explainYaml(text, read.failure);
    return { ok: false, problem: `${filename}:${line}: ${message}` };
  }
  const objects = read.documents.flatMap(({ root }) => (root === undefined ? [] : [nodeToValue(root)]));
  return { ok: true, value: objects.filter(isKubeObject) };
}

/** The Applications of a file, as they are written there. */
export function readApplicationsOf(filename: string): Read<KubeObject[]> {
  const read = readObjectsOf(filename);
  if (!read.ok) return read;
  const isApplication = ({ apiVersion, kind }: KubeObject): boolean =>
    kind === APPLICATION_KIND && groupOf(apiVersion) === APPLICATION_GROUP;
  return { ok: true, value: read.value.filter(isApplication) };
}

/** The only Application of a file, parsed. Its namespace may be missing. */
export function readOnlyApplication(filename: string): Read<Application> {
  const read = readApplicationsOf(filename);
  if (!read.ok) return read;
  const [only, other] = read.value;
  if (only === undefined) return { ok: false, problem: `${filename} has no Application` };
  if (other !== undefined) return { ok: false, problem: `${filename} has several Applications; leave only one` };
  return parseNamed(only);
}

export function parseNamed(object: KubeObject): Read<Application> {
  const result = parseApplication(object);
  if (result.ok) return { ok: true, value: result.application };
  const name = stringAt(object.metadata, 'name') ?? '';
  return { ok: false, problem: `the Application ${name} is malformed: ${result.problems.join('; ')}` };
}

/** The data of the ConfigMaps and Secrets of a file, by the keys of their needs (`ConfigMap web`). */
export function readDataOf(filename: string): Read<ReadonlyMap<string, Answer>> {
  const read = readObjectsOf(filename);
  if (!read.ok) return read;
  const found = new Map<string, Answer>();
  for (const object of read.value) {
    const { kind, metadata } = object;
    if (kind !== 'ConfigMap' && kind !== 'Secret') continue;
    const data: Record<string, string> = {};
    for (const [key, value] of Object.entries(mapAt(object, 'data'))) {
      if (typeof value !== 'string')
        return { ok: false, problem: `${filename}: data.${key} of a ${kind} is not a text` };
      data[key] = kind === 'Secret' ? Buffer.from(value, 'base64').toString('utf8') : value;
    }
    for (const [key, value] of Object.entries(mapAt(object, 'stringData'))) {
      if (kind === 'Secret' && typeof value === 'string') data[key] = value;
    }
    found.set(`${kind} ${stringAt(metadata, 'name') ?? ''}`, { type: 'data', data });
  }
  return { ok: true, value: found };
}
