/**
 * `tautline export NAME…`: prints Applications as files for Git: what a person writes, without what the API server and
 * the agent add.
 */
import { APPLICATION_GROUP } from '../object/applyset.ts';
import { annotationsOf } from '../object/identity.ts';
import { mapAt, stringAt, type KubeObject, type ValueMap } from '../object/value.ts';
import { readApplicationNames, readChoice, type Choice } from './application-name.ts';
import { dataText } from './data-text.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { findApplication } from './find-application.ts';
import { print } from './output.ts';
import { fail, withCluster, type Access, type ClusterFlags } from './with-cluster.ts';

export interface ExportCommand extends ClusterFlags, Choice {
  readonly allNamespaces: boolean;
}

export function runExport(command: ExportCommand): Promise<ExitCode> {
  const { allNamespaces, names, all } = command;
  if (allNamespaces && names.length > 0) {
    return Promise.resolve(
      fail('a name cannot be combined with --all-namespaces: leave one of them out', EXIT.misused),
    );
  }
  const read = allNamespaces ? readApplicationNames([]) : readChoice({ names, all });
  if (!read.ok) return Promise.resolve(fail(read.problem, EXIT.misused));
  return withCluster(command, (access) => exportThese(access, command, read.names));
}

async function exportThese(
  access: Access,
  { all, allNamespaces }: ExportCommand,
  names: readonly string[],
): Promise<ExitCode> {
  const found: KubeObject[] = [];
  if (all || allNamespaces) {
    const listed = await access.cluster.listApplications(allNamespaces ? '' : access.namespace);
    if (!listed.ok) return fail(listed.refusal.message);
    found.push(...listed.value);
  }
  for (const name of names) {
    const one = await findApplication(access, name);
    if (!one.ok) return fail(one.problem);
    found.push(one.application);
  }
  print(found.map((application) => dataText(exportOf(application), 'yaml')).join('---\n'));
  return EXIT.done;
}

/** Prefixes of annotations and labels that the agent or kubectl writes. */
const WRITTEN = ['applyset.kubernetes.io/', `${APPLICATION_GROUP}/request`, 'kubectl.kubernetes.io/'];

/** The Application as a person would write it. */
export function exportOf(application: KubeObject): ValueMap {
  const { apiVersion, kind, metadata } = application;
  const kept = (map: Readonly<Record<string, unknown>>): ValueMap =>
    Object.fromEntries(
      Object.entries(map).filter(([key]) => !WRITTEN.some((prefix) => key.startsWith(prefix))),
    ) as ValueMap;
  const labels = kept(mapAt(metadata, 'labels'));
  const annotations = kept(annotationsOf(application));
  return {
    apiVersion,
    kind,
    metadata: {
      name: stringAt(metadata, 'name') ?? '',
      namespace: stringAt(metadata, 'namespace') ?? '',
      ...(Object.keys(labels).length > 0 ? { labels } : {}),
      ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
    },
    spec: application['spec'] ?? {},
  };
}
