/**
 * The address of a submodule as `.gitmodules` writes it, and the address of its repository. A relative one is resolved
 * against the address of the repository that holds it, as git does.
 */

export type SubmoduleAddress =
  | { readonly ok: true; readonly repoURL: string }
  /** Completes the sentence "the address of the submodule …". */
  | { readonly ok: false; readonly problem: string; readonly hint: string };

const WRITE_ADDRESS = 'Write https://…, ssh://…, user@host:path, or a path that begins with ./ or ../.';

/** `parentURL`: the address of the repository that holds the `.gitmodules`. */
export function resolveSubmoduleAddress(text: string, parentURL: string): SubmoduleAddress {
  // Git refuses it as well: a program would read it as an option.
  if (text.startsWith('-')) return refused('begins with a hyphen, so that a program could read it as an option');
  if (/[\p{Cc}\p{Zl}\p{Zp}]/u.test(text)) return refused('holds a character that cannot be printed');
  if (text === '') return refused('is empty');
  if (isRelative(text)) {
    const repoURL = joinAddress(parentURL, text);
    if (repoURL !== undefined) return { ok: true, repoURL };
    return refused(`leads above the host of ${parentURL}`, 'Use fewer ../ parts, or write the whole address.');
  }
  if (/^(https?|ssh):\/\//i.test(text) || isScpForm(text)) return { ok: true, repoURL: text.replace(/\/+$/, '') };
  if (/^file:/i.test(text) || /^[/~.\\]/.test(text) || !/^[A-Za-z0-9+.-]+:/.test(text)) {
    return refused('names a folder of a machine; only repositories of servers are read');
  }
  const scheme = /^[A-Za-z0-9+.-]+/.exec(text)?.[0] ?? '';
  return refused(`is none by https, http or ssh (${scheme.slice(0, 40)})`);
}

function refused(problem: string, hint = WRITE_ADDRESS): SubmoduleAddress {
  return { ok: false, problem, hint };
}

function isRelative(text: string): boolean {
  return text.startsWith('./') || text.startsWith('../');
}

/** `user@host:path`. */
function isScpForm(text: string): boolean {
  return /^[^/@:\s]+@([^/@:\s[\]]+|\[[^\]/]*\]):./.test(text);
}

/** undefined: the path leads above the host. */
function joinAddress(parentURL: string, relative: string): string | undefined {
  const [start, path] = splitAddress(parentURL.replace(/\/+$/, ''));
  const parts = path === '' ? [] : path.split('/');
  let rest = relative;
  for (;;) {
    if (rest.startsWith('./')) rest = rest.slice(2);
    else if (rest.startsWith('../')) {
      rest = rest.slice(3);
      if (parts.length === 0 || parts.pop() === '') return undefined;
    } else break;
  }
  const joined = [...parts, rest].join('/').replace(/\/+$/, '');
  return joined === '' ? undefined : `${start}${joined}`;
}

/** The part that names the host, with the slash or colon behind it, and the path. */
function splitAddress(address: string): readonly [string, string] {
  const url = /^[a-z+]+:\/\/[^/]*\/?/i.exec(address)?.[0];
  if (url !== undefined) return [url.endsWith('/') ? url : `${url}/`, address.slice(url.length)];
  // An IPv6 address in brackets holds colons.
  const bracketed = /^[^/[]*\[[^\]]*\]/.exec(address)?.[0].length ?? 0;
  const colon = address.indexOf(':', bracketed);
  return [address.slice(0, colon + 1), address.slice(colon + 1)];
}
