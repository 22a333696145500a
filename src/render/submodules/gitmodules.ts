/** The submodules that a `.gitmodules` describes, by their paths, as `git submodule update` reads them. */
import { readGitConfig } from './git-config.ts';

export const GITMODULES = '.gitmodules';

export interface Submodule {
  readonly name: string;
  /** As it is written. undefined: the file names none. */
  readonly url: string | undefined;
  /** Whether git leaves its folder empty (`update = none`). */
  readonly isLeftOut: boolean;
  /** 1-based line of its address, or else of its path. */
  readonly line: number;
}

export type Gitmodules =
  | { readonly ok: true; readonly byPath: ReadonlyMap<string, Submodule> }
  /** 1-based line that git refuses. */
  | { readonly ok: false; readonly line: number };

interface Draft {
  path: string | undefined;
  url: string | undefined;
  update: string | undefined;
  line: number;
}

export function readGitmodules(text: string): Gitmodules {
  const config = readGitConfig(text);
  if (!config.ok) return config;
  const drafts = new Map<string, Draft>();
  for (const { key, value, line } of config.variables) {
    const [, name, variable] = /^submodule\.(.+)\.([^.]+)$/s.exec(key) ?? [];
    if (name === undefined || isSuspicious(name)) continue;
    const draft = drafts.get(name) ?? { path: undefined, url: undefined, update: undefined, line };
    drafts.set(name, draft);
    if (variable === 'path') draft.path = value;
    else if (variable === 'update') draft.update = value;
    else if (variable === 'url') Object.assign(draft, { url: value, line });
  }
  const byPath = new Map<string, Submodule>();
  for (const [name, { path, url, update, line }] of drafts) {
    if (path !== undefined) byPath.set(path.replace(/\/+$/, ''), { name, url, isLeftOut: update === 'none', line });
  }
  return { ok: true, byPath };
}

/** Git ignores a name with a part `..`, because it names a folder below `.git/modules`. */
function isSuspicious(name: string): boolean {
  return name.split(/[/\\]/).includes('..');
}
