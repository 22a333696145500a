/** Finds the Application that a person names, and suggests another name where there is none of it. */
import type { ApplicationName, UserCluster } from '../cluster/user-cluster.ts';
import { nearestName } from '../object/nearest.ts';
import type { KubeObject } from '../object/value.ts';
import { readApplicationName } from './application-name.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { fail, withCluster, type Access, type ClusterFlags } from './with-cluster.ts';

export type FoundObject =
  { readonly ok: true; readonly application: KubeObject } | { readonly ok: false; readonly problem: string };

/** `name` is a name that has been checked. */
export async function findApplication({ cluster, namespace }: Access, name: string): Promise<FoundObject> {
  const read = await cluster.readApplication({ namespace, name });
  if (!read.ok) return { ok: false, problem: read.refusal.message };
  if (read.value) return { ok: true, application: read.value };
  return { ok: false, problem: await notFound(cluster, { namespace, name }) };
}

/** The sentence about an Application that does not exist, with the nearest name of its namespace. */
export async function notFound(
  cluster: Pick<UserCluster, 'listApplications'>,
  { namespace, name }: ApplicationName,
): Promise<string> {
  const listed = await cluster.listApplications(namespace);
  const names = listed.ok ? listed.value.map(({ metadata }) => String(metadata['name'])) : [];
  const nearest = nearestName(name, names);
  const missing = `there is no Application ${name} in namespace ${namespace}; "tautline get -A" lists all Applications`;
  return nearest === undefined ? missing : `${missing}; did you mean ${nearest}?`;
}

/** Connects, and runs a command for one Application. A name that cannot exist is refused before any request. */
export function forOne(
  { name, ...flags }: ClusterFlags & { readonly name: string },
  run: (access: Access, application: KubeObject) => Promise<ExitCode> | ExitCode,
): Promise<ExitCode> {
  const read = readApplicationName(name);
  if (!read.ok) return Promise.resolve(fail(read.problem, EXIT.misused));
  return withCluster(flags, async (access) => {
    const found = await findApplication(access, read.name);
    return found.ok ? run(access, found.application) : fail(found.problem);
  });
}
