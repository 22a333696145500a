/** Reads the Application of a comparison: from the cluster, or from a file that need not be applied yet. */
import type { Application } from '../application/schema.ts';
import { stringAt, type KubeObject } from '../object/value.ts';
import { readApplicationName } from './application-name.ts';
import { findApplication } from './find-application.ts';
import { parseNamed, readApplicationsOf } from './manifest-file.ts';
import type { Access } from './with-cluster.ts';

export type FoundApplication =
  | { readonly ok: true; readonly application: Application; readonly isFromFile: boolean }
  | { readonly ok: false; readonly problem: string };

export async function readDeclared(access: Access, text: string): Promise<FoundApplication> {
  const named = readApplicationName(text);
  if (!named.ok) return named;
  const found = await findApplication(access, named.name);
  return found.ok ? parsed(found.application, false) : found;
}

interface FileQuestion {
  readonly filename: string;
  /** undefined: the only Application of the file. */
  readonly name: string | undefined;
}

/** The inventory is that of the Application of the same name, if the cluster has one. */
export async function readFromFile(access: Access, { filename, name }: FileQuestion): Promise<FoundApplication> {
  const found = readApplicationsOf(filename);
  if (!found.ok) return found;
  const declared = found.value.filter(({ metadata }) => name === undefined || metadata['name'] === name);
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
  const read = parseNamed(object);
  return read.ok ? { ok: true, application: read.value, isFromFile } : read;
}
