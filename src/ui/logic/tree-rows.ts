/**
 * The rows of the tree of an Application. Above 150 nodes the objects are folded by kind, and kinds that are well are
 * closed, so that a large Application shows its problems first.
 *
 * Invariant: the cost is linear in the number of nodes.
 */
import type { TreeNode } from '../../server/api/schema.ts';
import { keyOf } from './object-key.ts';
import { isUnwell, toneOfObject, worstOf, type ObjectState, type Tone } from './words.ts';

/** A node of the tree, or an object of the Application while the tree is not read yet. */
export type Node = Omit<TreeNode, 'sync' | 'pruning' | 'parent'> &
  ObjectState & { readonly parent?: number | undefined };

export const FOLD_ABOVE = 150;

interface Place {
  readonly key: string;
  /** From 1, as `aria-level`. */
  readonly level: number;
  /** undefined: there is nothing below it. */
  readonly isOpen: boolean | undefined;
}

export type TreeRow =
  | (Place & { readonly type: 'kind'; readonly title: string; readonly size: number; readonly tone: Tone })
  | (Place & { readonly type: 'object'; readonly node: Node });

export interface TreeOptions {
  /** Keys of rows that a person opened or closed against the default. */
  readonly toggled: ReadonlySet<string>;
  readonly isOnlyUnwell: boolean;
  /** A part of a kind or name, in any case. */
  readonly search: string;
}

interface Branch {
  readonly node: Node;
  readonly key: string;
  readonly children: Branch[];
  /** Whether it, or an object below it, passes the filter. */
  isShown: boolean;
  tone: Tone;
}

export function treeRows(nodes: readonly Node[], options: TreeOptions): TreeRow[] {
  const roots = branchesOf(nodes, options).filter(({ isShown }) => isShown);
  if (nodes.length <= FOLD_ABOVE) return roots.flatMap((root) => rowsOf(root, 1, { ...options, isFolded: false }));
  const kinds = Map.groupBy(roots, ({ node }) => node.kind);
  const titles = [...kinds.keys()].sort((a, b) => (a < b ? -1 : 1));
  return titles.flatMap((title) => kindRows(title, kinds.get(title) ?? [], options));
}

/** The roots. Owners come before what they own in the list of nodes. */
function branchesOf(nodes: readonly Node[], { isOnlyUnwell, search }: TreeOptions): Branch[] {
  const wanted = search.trim().toLowerCase();
  const branches = nodes.map((node): Branch => {
    const isFound = wanted === '' || `${node.kind} ${node.namespace}/${node.name}`.toLowerCase().includes(wanted);
    const isShown = isFound && (!isOnlyUnwell || isUnwell(node));
    return { node, key: keyOf(node), children: [], isShown, tone: toneOfObject(node) };
  });
  const roots: Branch[] = [];
  for (const branch of branches) {
    const owner = branch.node.parent === undefined ? undefined : branches[branch.node.parent];
    (owner?.children ?? roots).push(branch);
  }
  // Backwards, so that what is below a node is known before the node itself.
  for (const { node, isShown, tone } of branches.toReversed()) {
    const owner = node.parent === undefined ? undefined : branches[node.parent];
    if (!owner) continue;
    if (isShown) owner.isShown = true;
    owner.tone = worstOf([owner.tone, tone]);
  }
  return roots;
}

function kindRows(title: string, roots: readonly Branch[], options: TreeOptions): TreeRow[] {
  const key = `kind ${title}`;
  const tone = worstOf(roots.map((root) => root.tone));
  const isOpen = isOpenAt(key, isToOpen(tone, options), options);
  const row: TreeRow = { type: 'kind', key, level: 1, isOpen, title, size: roots.length, tone };
  return [row, ...(isOpen ? roots.flatMap((root) => rowsOf(root, 2, { ...options, isFolded: true })) : [])];
}

function rowsOf(branch: Branch, level: number, options: TreeOptions & { readonly isFolded: boolean }): TreeRow[] {
  const { key, node, tone } = branch;
  const children = branch.children.filter(({ isShown }) => isShown);
  const isOpenByDefault = !options.isFolded || isToOpen(tone, options);
  const isOpen = children.length === 0 ? undefined : isOpenAt(key, isOpenByDefault, options);
  const row: TreeRow = { type: 'object', key, level, isOpen, node };
  return isOpen === true ? [row, ...children.flatMap((child) => rowsOf(child, level + 1, options))] : [row];
}

function isToOpen(tone: Tone, { isOnlyUnwell, search }: TreeOptions): boolean {
  return isOnlyUnwell || search.trim() !== '' || (tone !== 'ok' && tone !== 'suspended');
}

function isOpenAt(key: string, isOpenByDefault: boolean, { toggled }: TreeOptions): boolean {
  return toggled.has(key) ? !isOpenByDefault : isOpenByDefault;
}
