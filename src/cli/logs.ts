/**
 * `tautline logs NAME`: the last lines of the logs of the Pods of an Application, first of those that are not well.
 *
 * Invariant: a log that cannot be read is named instead of left out.
 */
import type { LogQuestion } from '../cluster/ports.ts';
import { formatId } from '../object/identity.ts';
import { printable } from '../object/printable.ts';
import { listAt, stringAt, type KubeObject } from '../object/value.ts';
import type { TreeNode } from '../server/api/schema.ts';
import { objectsOf, readTree } from './application-tree.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { forOne } from './find-application.ts';
import { print, printNotes } from './output.ts';
import { fail, type Access, type ClusterFlags } from './with-cluster.ts';

export interface LogsCommand extends ClusterFlags {
  readonly name: string;
  /** undefined: all Pods of the Application. */
  readonly pod?: string | undefined;
  /** undefined: all containers. */
  readonly container?: string | undefined;
  /** Whether to read the log before the last restart. */
  readonly previous: boolean;
  /** Number of lines of each container. */
  readonly lines: number;
}

const MAX_PODS = 20;

export function runLogs(command: LogsCommand): Promise<ExitCode> {
  return forOne(command, (access, application) => showLogs(access, application, command));
}

export async function showLogs(access: Access, application: KubeObject, command: LogsCommand): Promise<ExitCode> {
  const { nodes, notes } = await readTree(access, objectsOf(application));
  const pods = worstFirst(nodes).filter(({ name }) => command.pod === undefined || name === command.pod);
  const problems = [...notes];
  if (pods.length > MAX_PODS) problems.push(`only the logs of ${MAX_PODS} of ${pods.length} Pods are shown: see --pod`);
  let shown = 0;
  for (const pod of pods.slice(0, MAX_PODS)) {
    const found = await readPod(access, pod);
    if (!found) {
      problems.push(`${formatId(pod)} cannot be read`);
      continue;
    }
    for (const container of containersOf(found).filter((name) => (command.container ?? name) === name)) {
      const question = { ...pod, pod: pod.name, container, isPrevious: command.previous, lines: command.lines };
      const problem = await showLog(access, question);
      if (problem === undefined) shown++;
      else problems.push(problem);
    }
  }
  printNotes(problems);
  if (shown > 0) return EXIT.done;
  if (pods.length > 0) return fail('no log could be read');
  return fail(command.pod === undefined ? 'the Application has no Pod' : `the Application has no Pod ${command.pod}`);
}

const ORDER: readonly string[] = ['Degraded', 'Progressing', 'Unknown', 'Missing', 'Suspended', 'Healthy'];

function worstFirst(nodes: readonly TreeNode[]): TreeNode[] {
  const rank = ({ health }: TreeNode): number => ORDER.indexOf(health.status);
  return nodes.filter(({ group, kind }) => group === '' && kind === 'Pod').sort((a, b) => rank(a) - rank(b));
}

async function readPod({ cluster }: Access, pod: TreeNode): Promise<KubeObject | undefined> {
  const kind = (await cluster.kinds()).served.get('v1/Pod');
  const read = kind && (await cluster.client.get(kind, pod));
  return read?.ok ? read.object?.body : undefined;
}

/** Names of the containers that have begun, init containers first. */
function containersOf(pod: KubeObject): string[] {
  const statuses = ['initContainerStatuses', 'containerStatuses'].flatMap((list) => listAt(pod, 'status', list));
  return statuses.flatMap((status) => stringAt(status, 'name') ?? []);
}

/** Prints one log. Returns the reason if it cannot be read. */
async function showLog({ cluster }: Access, question: LogQuestion): Promise<string | undefined> {
  const { namespace, pod, container } = question;
  const answer = await cluster.readLog(question);
  if (!answer.ok)
    return `the log of ${namespace}/${pod}, container ${container}, is not shown: ${answer.refusal.message}`;
  const lines = answer.text.replace(/\n$/, '').split('\n').slice(-question.lines);
  print(`==> ${printable(`${namespace}/${pod} ${container}`)} <==\n${lines.join('\n')}\n\n`);
  return undefined;
}
