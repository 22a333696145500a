/** `tautline version --server`: the versions of the API server and of the agents that look after Applications. */
import { APPLY_SET_TOOLING_ANNOTATION } from '../object/applyset.ts';
import { annotationsOf } from '../object/identity.ts';
import type { KubeObject } from '../object/value.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { print, printNotes } from './output.ts';
import { withCluster, type ClusterFlags } from './with-cluster.ts';

export function runServerVersions(flags: ClusterFlags): Promise<ExitCode> {
  return withCluster(flags, async ({ cluster, namespace }) => {
    print(`API server: ${await cluster.serverVersion()}\n`);
    const everywhere = await cluster.listApplications('');
    const listed = everywhere.ok ? everywhere : await cluster.listApplications(namespace);
    if (!listed.ok) {
      printNotes([`the version of the agent is not known: ${listed.refusal.message}`]);
      return EXIT.failed;
    }
    print(agentVersions(listed.value));
    return EXIT.done;
  });
}

/** One line for each version that an agent has written on an Application. */
export function agentVersions(applications: readonly KubeObject[]): string {
  const counts = new Map<string, number>();
  for (const application of applications) {
    const written = annotationsOf(application)[APPLY_SET_TOOLING_ANNOTATION] ?? '';
    const version = /^tautline\/v?(.+)$/.exec(written)?.[1];
    if (version !== undefined) counts.set(version, (counts.get(version) ?? 0) + 1);
  }
  if (counts.size === 0) return 'Agent: not known, since no agent has taken up an Application\n';
  const lines = [...counts].sort(([a], [b]) => a.localeCompare(b));
  return lines.map(([version, count]) => `Agent: ${version} (of ${count} Applications)\n`).join('');
}
