/** `tautline tree NAME`: the objects of an Application, and below them what they own, down to Pods. */
import { cutText } from '../application/conditions.ts';
import { formatId } from '../object/identity.ts';
import { printable } from '../object/printable.ts';
import type { KubeObject, Value } from '../object/value.ts';
import type { TreeNode } from '../server/api/schema.ts';
import type { Tree } from '../server/api/tree.ts';
import { factsOf, firstLine, isTroubled, whyOf } from './application-facts.ts';
import { idOfApplication, objectsOf, readTree } from './application-tree.ts';
import { dataText } from './data-text.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { forOne } from './find-application.ts';
import { formatTable } from './table.ts';
import type { ClusterFlags } from './with-cluster.ts';
import { print, printNotes } from './output.ts';

export interface TreeCommand extends ClusterFlags {
  readonly name: string;
  readonly output: 'table' | 'json' | 'yaml';
  readonly hasHeaders: boolean;
}

const MAX_MESSAGE_CHARS = 120;

export function runTree(command: TreeCommand): Promise<ExitCode> {
  const { output, hasHeaders } = command;
  return forOne(command, async (access, application) => {
    const tree = await readTree(access, objectsOf(application));
    if (output === 'table') print(treeTable(application, tree, hasHeaders));
    else print(dataText(tree as unknown as Value, output));
    printNotes(tree.notes);
    return EXIT.done;
  });
}

export function treeTable(application: KubeObject, { nodes }: Tree, hasHeaders: boolean): string {
  const facts = factsOf(application);
  const { sync, health } = facts.status;
  const why = isTroubled(facts) ? whyOf(facts) : '';
  const root = [formatId(idOfApplication(application)), sync?.status ?? 'Unknown', health?.status ?? 'Unknown', why];
  const rows = [root, ...branchesOf(nodes)].map((row) => row.map((cell) => printable(cell) || '-'));
  return formatTable(hasHeaders ? ['OBJECT', 'SYNC', 'HEALTH', 'MESSAGE'] : undefined, rows);
}

/** A row for each node, an owner before what it owns, with the lines that join them. */
function branchesOf(nodes: readonly TreeNode[]): string[][] {
  const children = new Map<number, number[]>();
  nodes.forEach(({ parent = -1 }, at) => {
    const siblings = children.get(parent);
    if (siblings) siblings.push(at);
    else children.set(parent, [at]);
  });
  const rows: string[][] = [];
  // The last one is shown next. A stack, since owners may be chained deeper than calls may be nested.
  const waiting = stacked(children.get(-1) ?? [], '');
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { at, lead, isLast } = next;
    const node = nodes[at];
    if (!node) continue;
    rows.push([
      `${lead}${isLast ? '└─ ' : '├─ '}${formatId(node)}`,
      node.sync ?? '',
      node.health.status,
      wordsOf(node),
    ]);
    const below = stacked(children.get(at) ?? [], `${lead}${isLast ? '   ' : '│  '}`);
    for (const branch of below) waiting.push(branch);
  }
  return rows;
}

interface Branch {
  readonly at: number;
  readonly lead: string;
  readonly isLast: boolean;
}

function stacked(nodes: readonly number[], lead: string): Branch[] {
  return nodes.map((at, index) => ({ at, lead, isLast: index === nodes.length - 1 })).reverse();
}

function wordsOf({ message, health }: TreeNode): string {
  const text = message ?? (health.status === 'Healthy' ? '' : health.message);
  return cutText(firstLine(text), MAX_MESSAGE_CHARS);
}
