/**
 * A tree in which the submodules of its commit are folders, as after `git submodule update --init --recursive`. A
 * submodule is a need: the render asks for it when it looks up a path below it, and other submodules are not fetched.
 *
 * Invariants: nesting and number of submodules are bounded, so a render ends whatever `.gitmodules` says. No link leads
 * out of a submodule.
 */
import { digestValue } from '../../object/digest.ts';
import { printable } from '../../object/printable.ts';
import type { Asking } from '../asking.ts';
import { fail } from '../fail.ts';
import { ask } from '../file-loader.ts';
import type { FileTree, SubmodulePlace } from '../file-tree.ts';
import { withLfs } from '../lfs/lfs-tree.ts';
import type { SubmoduleNeed } from '../needs.ts';
import { GITMODULES, readGitmodules, type Submodule } from './gitmodules.ts';
import { resolveSubmoduleAddress } from './submodule-address.ts';

/** Keys of needs for submodules begin with it. */
export const SUBMODULE_KEY = 'submodule:';

/** Submodules within submodules. */
const MAX_DEPTH = 4;
/** Submodules that one render reads. */
const MAX_SUBMODULES = 50;

/** The repository whose submodules are read. */
export interface Holder {
  readonly repoURL: string;
  /** As `SubmoduleNeed.owner`. */
  readonly owner: string;
  /** The place of its root in the paths of messages; '' for the tree of `spec.source`. */
  readonly shownAs: string;
  /** Whether the content of its files in LFS is read. */
  readonly lfs: boolean;
  /** The repositories that it is a submodule of, the outermost first. */
  readonly ancestors: readonly string[];
}

export function withSubmodules(asking: Asking, tree: FileTree, holder: Holder): FileTree {
  const described = readOnce(asking, tree, holder);
  /** By their paths. */
  const opened = new Map<string, FileTree>();

  function open(place: SubmodulePlace): FileTree | undefined {
    const known = opened.get(place.path);
    if (known) return known;
    const need = needOf(asking, { place, holder, submodule: described(place.path) });
    if (ask(asking, need)?.type !== 'tree') return undefined;
    const found = asking.trees.get(need.key);
    if (found === undefined) throw new Error(`the tree of the submodule ${place.path} is not open`);
    asking.usage.submodules += 1;
    const { repoURL, owner } = need;
    const ancestors = [...holder.ancestors, holder.repoURL];
    const { lfs } = holder;
    const own = { repoURL, owner, shownAs: need.path, ancestors, lfs };
    const inner = withSubmodules(asking, lfs ? withLfs(asking, found.tree, own) : found.tree, own);
    opened.set(place.path, inner);
    return inner;
  }

  /** `otherwise`: the result while the submodule has not been brought. */
  const at = <T>(path: string, use: (tree: FileTree, inner: string) => T, otherwise: T): T => {
    const place = tree.submodule(path);
    if (place === undefined) return use(tree, path);
    const inner = open(place);
    return inner === undefined ? otherwise : use(inner, place.rest);
  };

  return {
    find: (path) => at(path, (files, inner) => files.find(inner), { type: 'absent' }),
    list(path) {
      const place = tree.submodule(path);
      return place === undefined ? listWithFolders(tree, path, described) : (open(place)?.list(place.rest) ?? []);
    },
    read: (path) => at(path, (files, inner) => files.read(inner), new Uint8Array()),
    resolve(path) {
      const place = tree.submodule(path);
      if (place === undefined) return tree.resolve(path);
      const resolved = open(place)?.resolve(place.rest);
      return resolved === undefined ? undefined : joined(place.path, resolved);
    },
    submodule: () => undefined,
    asksForContent: holder.lfs,
  };
}

function joined(folder: string, path: string): string {
  return folder === '' || path === '' ? folder + path : `${folder}/${path}`;
}

/** A submodule that git leaves out stays one, so that nothing looks into it. */
function listWithFolders(
  tree: FileTree,
  folder: string,
  describe: (path: string) => Submodule | undefined,
): ReturnType<FileTree['list']> {
  return tree.list(folder).map(({ name, type }) => {
    const isFolder = type === 'submodule' && describe(joined(folder, name))?.isLeftOut !== true;
    return { name, type: isFolder ? 'folder' : type };
  });
}

/** Reads `.gitmodules` when it is first needed. The returned function fails with SubmoduleInvalid. */
function readOnce({ limits }: Asking, tree: FileTree, { shownAs }: Holder): (path: string) => Submodule | undefined {
  const file = joined(shownAs, GITMODULES);
  let known: ReturnType<typeof readGitmodules> | undefined;
  return (path) => {
    known ??= readFile(tree, file, limits.maxFileBytes);
    if (known.ok) return known.byPath.get(path);
    return fail('SubmoduleInvalid', 'git refuses this line', {
      file,
      line: known.line,
      hint: 'Compare it with the output of git config --file .gitmodules --list.',
    });
  };
}

function readFile(tree: FileTree, file: string, maxFileBytes: number): ReturnType<typeof readGitmodules> {
  const found = tree.find(GITMODULES);
  // Git reads no .gitmodules that is a link.
  if (found.type !== 'file' || tree.resolve(GITMODULES) !== GITMODULES) return { ok: true, byPath: new Map() };
  if (found.sizeBytes > maxFileBytes) {
    fail('LimitExceeded', `the file has ${found.sizeBytes} bytes; at most ${maxFileBytes} are allowed`, { file });
  }
  return readGitmodules(Buffer.from(tree.read(GITMODULES)).toString('utf8'));
}

interface Wanted {
  readonly place: SubmodulePlace;
  readonly holder: Holder;
  readonly submodule: Submodule | undefined;
}

/** Fails with SubmoduleInvalid or LimitExceeded. */
function needOf({ usage, needs }: Asking, { place, holder, submodule }: Wanted): SubmoduleNeed {
  const path = joined(holder.shownAs, place.path);
  const shown = printable(path);
  const file = joined(holder.shownAs, GITMODULES);
  if (submodule?.url === undefined) {
    return fail('SubmoduleInvalid', `${shown} is a submodule, and ${GITMODULES} names no address for it`, {
      file,
      ...(submodule === undefined ? {} : { line: submodule.line }),
      hint: `Add it with git submodule add, or remove the entry of the folder with git rm.`,
    });
  }
  const { line } = submodule;
  if (submodule.isLeftOut) {
    fail('SubmoduleInvalid', `the submodule ${shown} has update = none, so that git leaves its folder empty`, {
      ...{ file, line },
      hint: 'Remove update = none, or read nothing from the submodule.',
    });
  }
  checkBounds(holder, { shown, file, line });
  const address = resolveSubmoduleAddress(submodule.url, holder.repoURL);
  if (!address.ok) {
    const { problem, hint } = address;
    return fail('SubmoduleInvalid', `the address of the submodule ${shown} ${problem}`, { file, line, hint });
  }
  if (usage.submodules + needs.filter(({ type }) => type === 'submodule').length >= MAX_SUBMODULES) {
    fail('LimitExceeded', `the render reads more than ${MAX_SUBMODULES} submodules`, { file, line });
  }
  const { owner, repoURL: parentURL } = holder;
  const { repoURL } = address;
  const { commit } = place;
  const key = `${SUBMODULE_KEY}${digestValue({ repoURL, commit, parentURL, owner })}`;
  return { type: 'submodule', key, repoURL, commit, path, parentURL, owner, file, line };
}

interface Place {
  readonly shown: string;
  readonly file: string;
  readonly line: number;
}

function checkBounds({ ancestors, repoURL }: Holder, { shown, file, line }: Place): void {
  if (ancestors.length < MAX_DEPTH) return;
  const isOwnParent = ancestors.includes(repoURL);
  const why = isOwnParent ? `: ${repoURL} is a submodule of itself` : '';
  fail('LimitExceeded', `the submodule ${shown} is more than ${MAX_DEPTH} levels deep${why}`, {
    ...{ file, line },
    hint: 'Nest submodules less deeply.',
  });
}
