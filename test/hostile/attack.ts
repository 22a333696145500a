/**
 * The shape of an attack: a hostile commit, or answers in place of the Git server; and its expected end: a reason in
 * the Application's conditions, or no harm.
 */
import type { FileChange } from '../support/git-repository.ts';
import type { Replies } from './front.ts';

export interface Attack {
  readonly name: string;
  readonly strike: Strike;
  /**
   * Reasons of which one must be that of SourceReady, Rendered or Ready, with status False. `Ready` means that the
   * attack is harmless: the Application becomes ready at the hostile commit. That commit then contains `kept.yaml`,
   * since otherwise the applied object would be pruned.
   */
  readonly expected: readonly string[];
  /** Pattern of the message of that condition. */
  readonly message?: RegExp;
}

export type Files = Readonly<Record<string, FileChange>>;

export type Strike =
  /** A commit with these files and no others. */
  | { readonly type: 'files'; readonly files: Files; readonly message?: string }
  /** Answers in place of the Git server. */
  | { readonly type: 'server'; readonly replies: Replies };

export const CONFIG_MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: hostile}\n';

export const many = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));

/** An attack by a commit with these files and no others. */
export function files(name: string, content: Files, expected: string | readonly string[], message?: RegExp): Attack {
  return attack(name, { type: 'files', files: content }, expected, message);
}

/** An attack by `a.yaml` in a plain folder: a text is appended to a ConfigMap, bytes are the whole file. */
export function yaml(
  name: string,
  text: string | Uint8Array,
  expected: string | readonly string[],
  message?: RegExp,
): Attack {
  const content = typeof text === 'string' ? `${CONFIG_MAP}${text}\n` : text;
  return files(name, { 'a.yaml': content }, expected, message);
}

/** An attack by a kustomization, with a ConfigMap in `a.yaml` and the files of `beside`. */
export function kustomization(
  name: string,
  text: string,
  { beside = {}, expected, message }: { beside?: Files; expected: string | readonly string[]; message?: RegExp },
): Attack {
  return files(name, { 'kustomization.yaml': `${text}\n`, 'a.yaml': CONFIG_MAP, ...beside }, expected, message);
}

/** An attack by these answers in place of the Git server. */
export function server(name: string, replies: Replies, expected: string | readonly string[], message?: RegExp): Attack {
  return attack(name, { type: 'server', replies }, expected, message);
}

function attack(name: string, strike: Strike, expected: string | readonly string[], message?: RegExp): Attack {
  return { name, strike, expected: typeof expected === 'string' ? [expected] : expected, ...(message && { message }) };
}
