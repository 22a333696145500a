/**
 * Applies the files `.sourceignore` (of Flux) and `.tautlineignore` in the folders from the root of the tree down to a
 * file: rules of a deeper folder come later, and those of `.tautlineignore` after those of `.sourceignore`.
 *
 * Invariant: the work is bounded.
 */
import { fail } from '../fail.ts';
import { readText, type RenderContext } from '../file-loader.ts';
import { readIgnoreRules, type IgnoreRule } from './gitignore.ts';

export const IGNORE_FILES = ['.sourceignore', '.tautlineignore'] as const;

/** Rules of all ignore files of a render. */
const MAX_RULES = 10_000;

/** Steps of matching of one render. */
const MAX_WORK = 100_000_000;

/** Rules with the folder that their paths begin at. */
interface Scope {
  readonly folder: string;
  readonly rules: readonly IgnoreRule[];
}

export interface Ignored {
  /** Reads the ignore files of a folder, for the paths below it. */
  enter(folder: string): Ignored;
  /** Whether a path is left out; the folders above it are not. */
  has(path: string, type: 'file' | 'folder'): boolean;
}

/** The rules that hold in a folder of a tree. `isAllIgnored`: the folder itself is left out. */
export function openIgnored(context: RenderContext, folder: string): { ignored: Ignored; isAllIgnored: boolean } {
  const budget = { rules: 0, work: 0 };
  let ignored = createIgnored(context, budget, []).enter('');
  let isAllIgnored = false;
  const parts = folder === '' ? [] : folder.split('/');
  parts.forEach((_, index) => {
    const path = parts.slice(0, index + 1).join('/');
    isAllIgnored ||= ignored.has(path, 'folder');
    ignored = ignored.enter(path);
  });
  return { ignored, isAllIgnored };
}

interface Budget {
  rules: number;
  work: number;
}

function createIgnored(context: RenderContext, budget: Budget, scopes: readonly Scope[]): Ignored {
  const charge = (steps: number): void => {
    budget.work += steps;
    if (budget.work > MAX_WORK) fail('LimitExceeded', `the ignore files need more than ${MAX_WORK} steps`);
  };
  return {
    enter(folder) {
      const rules = readRules(context, folder);
      budget.rules += rules.length;
      if (budget.rules > MAX_RULES) fail('LimitExceeded', `the ignore files have more than ${MAX_RULES} rules`);
      return rules.length === 0 ? this : createIgnored(context, budget, [...scopes, { folder, rules }]);
    },
    has(path, type) {
      for (const { folder, rules } of scopes.toReversed()) {
        const inner = folder === '' ? path : path.slice(folder.length + 1);
        const name = inner.slice(inner.lastIndexOf('/') + 1);
        const rule = rules.findLast(({ isForFolders, isForNames, matches }) => {
          return (type === 'folder' || !isForFolders) && matches(isForNames ? name : inner, charge);
        });
        if (rule !== undefined) return !rule.isNegated;
      }
      return false;
    },
  };
}

function readRules(context: RenderContext, folder: string): IgnoreRule[] {
  return IGNORE_FILES.flatMap((name) => {
    const file = folder === '' ? name : `${folder}/${name}`;
    return context.tree.find(file).type === 'file' ? readIgnoreRules(readText(context, file)) : [];
  });
}
