/** JSON pointers (RFC 6901) over the value model. Invariant: `parsePointer(formatPointer(tokens))` is `tokens`. */
import { isMap, own, type Value } from './value.ts';

/** Joins reference tokens. Without tokens it is the empty pointer, which names the whole document. */
export function formatPointer(tokens: readonly (string | number)[]): string {
  let pointer = '';
  for (const token of tokens) pointer += `/${escapeToken(String(token))}`;
  return pointer;
}

/** The reference tokens of a pointer. Throws RangeError if the text is not a JSON pointer. */
export function parsePointer(pointer: string): string[] {
  if (pointer === '') return [];
  if (!pointer.startsWith('/')) throw new RangeError(`not a JSON pointer (it must start with '/'): ${pointer}`);
  return pointer.slice(1).split('/').map(unescapeToken);
}

/** The value at the tokens; undefined if a member or an item is missing on the way. */
export function valueAtPointer(root: Value, tokens: readonly string[]): Value | undefined {
  let at: Value | undefined = root;
  for (const token of tokens) {
    if (Array.isArray(at)) at = /^(0|[1-9]\d*)$/.test(token) ? at[Number(token)] : undefined;
    else at = isMap(at) ? own(at, token) : undefined;
    if (at === undefined) return undefined;
  }
  return at;
}

function escapeToken(token: string): string {
  return token.includes('~') || token.includes('/') ? token.replaceAll('~', '~0').replaceAll('/', '~1') : token;
}

function unescapeToken(token: string): string {
  if (/~(?![01])/.test(token)) throw new RangeError(`not a JSON pointer ('~' must be written '~0'): ${token}`);
  return token.replaceAll('~1', '/').replaceAll('~0', '~');
}
