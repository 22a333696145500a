/** Reads the Application of a comparison: from the cluster, or from a file that need not be applied yet. */
import { readFileSync } from 'node:fs';
import { parseApplication } from '../application/parse.ts';
import type { Application } from '../application/schema.ts';
import { APPLICATION_GROUP, APPLICATION_KIND } from '../object/applyset.ts';
import { groupOf } from '../object/identity.ts';
import { isKubeObject, stringAt, type KubeObject } from '../object/value.ts';
import { explainYaml } from '../object/yaml/explain.ts';
import { nodeToValue } from '../object/yaml/node.ts';
import { readYaml } from '../object/yaml/read.ts';
import { readApplicationName } from './application-name.ts';
import { notFound } from './get.ts';
import { LOCAL_LIMITS } from './render.ts';
import type { Access } from './with-cluster.ts';

export type FoundApplication =
  | { readonly ok: true; readonly application: Application; readonly isFromFile: boolean }
  | { readonly ok: false; readonly problem: string };

export async function readDeclared({ cluster, namespace }: Access, text: string): Promise<FoundApplication> {
  const named = readApplicationName(text);
  if (!named.ok) return named;
  const read = await cluster.readApplication({ namespace, name: named.name });
  if (!read.ok) return { ok: false, problem: read.refusal.message };
  if (!read.value) return { ok: false, problem: notFound(namespace, named.name) };
  return parsed(read.value, false);
}

interface FileQuestion {
  readonly filename: string;
  /** undefined: the only Application of the file. */
  readonly name: string | undefined;
}

/** The inventory is that of the Application of the same name, if the cluster has one. */
export async function readFromFile(access: Access, { filename, name }: FileQuestion): Promise<FoundApplication> {
  const found = applicationsIn(filename);
  if (!found.ok) return found;
  const declared = found.applications.filter(({ metadata }) => name === undefined || metadata['name'] === name);
  const [only] = declared;
  if (!only) return { ok: false, problem: `${filename} has no Application${name === undefined ? '' : ` ${name}`}` };
  if (declared.length > 1) return { ok: false, problem: `${filename} has several Applications: name one of them` };
  const namespace = stringAt(only.metadata, 'namespace') ?? access.namespace;
  const read = readApplicationName(stringAt(only.metadata, 'name') ?? '');
  if (!read.ok) return { ok: false, problem: `${filename}: ${read.problem}` };
  const stored = await access.cluster.readApplication({ namespace, name: read.name });
  if (!stored.ok && stored.refusal.code !== 'KindNotServed') return { ok: false, problem: stored.refusal.message };
  const status = stored.ok ? stored.value?.['status'] : undefined;
  const { status: _ignored, ...rest } = only;
  return parsed(
    { ...rest, metadata: { ...only.metadata, namespace }, ...(status === undefined ? {} : { status }) },
    true,
  );
}

function parsed(object: KubeObject, isFromFile: boolean): FoundApplication {
  const result = parseApplication(object);
  if (result.ok) return { ok: true, application: result.application, isFromFile };
  const name = stringAt(object.metadata, 'name') ?? '';
  return { ok: false, problem: `the Application ${name} is malformed: ${result.problems.join('; ')}` };
}

function applicationsIn(
  filename: string,
): { readonly ok: true; readonly applications: KubeObject[] } | { readonly ok: false; readonly problem: string } {
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
  const applications = objects
    .filter(isKubeObject)
    .filter(({ apiVersion, kind }) => kind === APPLICATION_KIND && groupOf(apiVersion) === APPLICATION_GROUP);
  return { ok: true, applications };
}
