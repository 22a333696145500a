/**
 * Finds writes to the groups of an Application's memory by pattern. It knows a group by `memory.<group>`, by names that
 * are taken from it in a declaration, and by parameters of its type. A map that is handed to a function under another
 * name is not followed: a room should hand out functions that write, not its maps.
 */
import type { SourceFile } from './source-files.ts';

/** By group of `Memory`: its type, and the files and folders of src/reconcile that alone may write it. */
export const WRITERS: Readonly<Record<string, { readonly type: string; readonly writers: readonly string[] }>> = {
  desired: { type: 'DesiredMemory', writers: ['desired/'] },
  inventory: { type: 'InventoryMemory', writers: ['decide/'] },
  evidence: { type: 'EvidenceMemory', writers: ['decide/'] },
  endedJobs: { type: 'EndedJobsMemory', writers: ['decide/'] },
  healthChecks: { type: 'HealthChecksMemory', writers: ['decide/'] },
  heals: { type: 'HealsMemory', writers: ['decide/'] },
  place: { type: 'PlaceMemory', writers: ['effect/'] },
  refused: { type: 'RefusedMemory', writers: ['effect/'] },
  clocks: { type: 'ClocksMemory', writers: ['attempt.ts'] },
  deletion: { type: 'DeletionMemory', writers: ['deletion/'] },
  causes: { type: 'CausesMemory', writers: ['report/'] },
  rest: { type: 'RestMemory', writers: ['report/'] },
  run: { type: 'RunMemory', writers: ['pass.ts', 'reconcile.ts'] },
};

/** It creates, copies and empties all groups. */
const MEMORY_FILE = 'src/reconcile/memory.ts';

const FIELDS = String.raw`(?:\??\.\w+)`;
const ASSIGNMENT = String.raw`\s*(?:=(?![=>])|\?\?=|\|\|=|&&=|[-+*/]=|\+\+|--)`;
const MUTATORS = String.raw`\??\.(?:set|delete|clear|add|push|pop|shift|unshift|splice|sort|reverse)\(`;

/** Each write outside the rooms that may make it, as `path:line: text`. */
export function foreignWrites({ path, text }: SourceFile): string[] {
  if (path === MEMORY_FILE) return [];
  const code = withoutComments(text);
  return Object.entries(WRITERS).flatMap(([group, { type, writers }]) => {
    if (writers.some((writer) => path.startsWith(`src/reconcile/${writer}`))) return [];
    const places = [
      ...writesTo(code, String.raw`\bmemory\??\.${group}`, `${FIELDS}*`),
      ...namesOf(code, group, type).flatMap((name) => writesTo(code, String.raw`(?<![\w.])${name}`, `${FIELDS}+`)),
    ];
    return [...new Set(places)].map((index) => {
      const line = code.slice(0, index).split('\n').length;
      return `${path}:${line}: ${text.split('\n')[line - 1]?.trim() ?? ''} (${group})`;
    });
  });
}

/** Comments become blanks, so that lines keep their numbers. */
function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, (comment) => comment.replaceAll(/[^\n]/g, ' '));
}

/** Positions of writes to an expression; `fields` are those between it and an assignment. */
function writesTo(code: string, expression: string, fields: string): number[] {
  const patterns = [
    `${expression}${fields}${ASSIGNMENT}`,
    `${expression}${FIELDS}*${MUTATORS}`,
    String.raw`\bObject\.assign\(\s*${expression.replace(String.raw`(?<![\w.])`, String.raw`(?:\w+\.)*`)}\b`,
    String.raw`\bdelete\s+${expression.replace(String.raw`(?<![\w.])`, String.raw`(?:\w+\.)*`)}\b`,
  ];
  return patterns.flatMap((pattern) => Array.from(code.matchAll(new RegExp(pattern, 'g')), ({ index }) => index));
}

/** Local names of a group or of its fields. */
function namesOf(code: string, group: string, type: string): string[] {
  const names: string[] = [];
  // const { inventory, heals: mine } = pass.memory;
  for (const [, pattern = ''] of code.matchAll(/\{([^{}]*)\} = [\w.?]*\bmemory;/g))
    names.push(...bound(pattern, group));
  // ({ memory: { inventory } }: Pass)
  for (const [, pattern = ''] of code.matchAll(/\bmemory: \{([^{}]*)\}/g)) names.push(...bound(pattern, group));
  // const ids = memory.inventory.ids;
  const alias = new RegExp(String.raw`\b(?:const|let) (\w+) = [\w.?]*\bmemory\??\.${group}\b${FIELDS}*;`, 'g');
  for (const [, name = ''] of code.matchAll(alias)) names.push(name);
  // const { ids } = memory.inventory;
  const fields = new RegExp(String.raw`\{([^{}]*)\} = [\w.?]*\bmemory\??\.${group};`, 'g');
  for (const [, pattern = ''] of code.matchAll(fields)) names.push(...bound(pattern));
  // (inventory: InventoryMemory), ({ ids }: Pick<InventoryMemory, 'ids'>)
  const parameter = new RegExp(String.raw`(\w+|\{[^{}]*\}): (?:Pick<)?${type}\b`, 'g');
  for (const [, pattern = ''] of code.matchAll(parameter)) names.push(...bound(pattern.replaceAll(/[{}]/g, '')));
  return [...new Set(names)];
}

/** The names that a pattern such as `a, b: c, d = 1` binds; with `only`, the name of that member alone. */
function bound(pattern: string, only?: string): string[] {
  return pattern.split(',').flatMap((part) => {
    const [, member = '', name = member] = /^\s*(\w+)(?:: (\w+))?/.exec(part) ?? [];
    return member !== '' && (only === undefined || member === only) ? [name] : [];
  });
}
