/** `tautline sync NAME…`: requests a sync of Applications, and waits for the answers to these requests. */
import { parseApplication } from '../application/parse.ts';
import type { Choice } from './application-name.ts';
import type { ExitCode } from './exit-code.ts';
import { findApplication } from './find-application.ts';
import { completeObject } from './object-name.ts';
import { resolveCommit } from './resolve-commit.ts';
import { forEachName, sendRequest, type RequestFields } from './send-request.ts';
import { fail, type Access, type ClusterFlags } from './with-cluster.ts';

export interface SyncCommand extends ClusterFlags, Choice {
  /** A commit, the start of one, a branch or a tag. */
  readonly revision?: string | undefined;
  readonly prune?: boolean | undefined;
  readonly dryRun: boolean;
  /** `group/Kind/namespace/name`, or shorter where that names one object of the Application; empty: all objects. */
  readonly objects: readonly string[];
  readonly replace: boolean;
  /** undefined: do not wait for the answer. */
  readonly timeoutMs: number | undefined;
}

export function runSync(command: SyncCommand): Promise<ExitCode> {
  return forEachName(command, (access, name, isOneOfSeveral) => {
    return syncOne(access, { ...command, name, isOneOfSeveral });
  });
}

async function syncOne(
  access: Access,
  { name, isOneOfSeveral, ...command }: SyncCommand & { readonly name: string; readonly isOneOfSeveral: boolean },
): Promise<ExitCode> {
  const { replace, timeoutMs } = command;
  const completed = await complete(access, name, command);
  if (!completed.ok) return fail(`${name}: ${completed.problem}`);
  const fields = syncFieldsOf({ ...command, ...completed });
  return sendRequest(access, { name, replace, timeoutMs, fields, isOneOfSeveral });
}

type Completed =
  | { readonly ok: true; readonly revision: string | undefined; readonly objects: readonly string[] }
  | { readonly ok: false; readonly problem: string };

/** Replaces a short commit, a branch or a short name of an object by what the request has to name. */
async function complete(
  access: Access,
  name: string,
  { revision, objects }: Pick<SyncCommand, 'revision' | 'objects'>,
): Promise<Completed> {
  const isWhole = revision === undefined || /^[0-9a-f]{40}$/.test(revision);
  if (isWhole && objects.every((object) => object.split('/').length > 2)) return { ok: true, revision, objects };
  const stored = await findApplication(access, name);
  if (!stored.ok) return stored;
  const whole: string[] = [];
  for (const object of objects) {
    const found = completeObject(object, stored.application);
    if (!found.ok) return found;
    whole.push(found.object);
  }
  if (revision === undefined) return { ok: true, revision, objects: whole };
  const parsed = parseApplication(stored.application);
  if (!parsed.ok) return { ok: false, problem: `the Application is malformed: ${parsed.problems.join('; ')}` };
  const resolved = await resolveCommit(access.cluster, parsed.application, revision);
  return resolved.ok ? { ok: true, revision: resolved.commit, objects: whole } : resolved;
}

/** The fields of the request. A flag that is not given is left out, so that the spec decides. */
export function syncFieldsOf({
  revision,
  prune,
  dryRun,
  objects,
}: Pick<SyncCommand, 'revision' | 'prune' | 'dryRun' | 'objects'>): RequestFields {
  return {
    action: 'sync',
    ...(revision === undefined ? {} : { revision }),
    ...(prune === undefined ? {} : { prune }),
    ...(dryRun ? { dryRun } : {}),
    ...(objects.length > 0 ? { objects: objects.map(withGroup) } : {}),
  };
}

/** Requests write the core group as an empty text. On the command line the leading slash may be left out. */
function withGroup(object: string): string {
  return object.split('/').length === 3 ? `/${object}` : object;
}
