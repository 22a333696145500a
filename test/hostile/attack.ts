/**
 * What an attack is: a commit, hand-made objects, or a Git server that lies; and how it must end: in a reason that the
 * Application's conditions give, or harmlessly.
 */
import type { FileChange } from '../support/git-repository.ts';
import type { Replies } from './front.ts';

export interface Attack {
  readonly name: string;
  readonly strike: Strike;
  /**
   * Reasons of which SourceReady, Rendered or Ready must give one, being False; `Ready`: it is harmless, and the
   * Application is ready at the hostile commit. (`kept.yaml` is added then: else nothing of what was applied is left.)
   */
  readonly ends: readonly string[];
  /** What the message must say. */
  readonly says?: RegExp;
}

export type Files = Readonly<Record<string, FileChange>>;

export type Strike =
  /** The whole content of a commit. */
  | { readonly type: 'files'; readonly files: Files; readonly message?: string }
  /** Answers in the Git server's place. */
  | { readonly type: 'server'; readonly replies: Replies };

export const CONFIG_MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: hostile}\n';

export const many = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));

/** A commit with these files. */
export function files(name: string, content: Files, ends: string | readonly string[], says?: RegExp): Attack {
  return attack(name, { type: 'files', files: content }, ends, says);
}

/** A file of a plain folder that begins as a ConfigMap. */
export function yaml(name: string, text: string | Uint8Array, ends: string | readonly string[], says?: RegExp): Attack {
  const content = typeof text === 'string' ? `${CONFIG_MAP}${text}\n` : text;
  return files(name, { 'a.yaml': content }, ends, says);
}

/** A kustomization over a ConfigMap in a.yaml. */
export function kustomization(
  name: string,
  text: string,
  { beside = {}, ends, says }: { beside?: Files; ends: string | readonly string[]; says?: RegExp },
): Attack {
  return files(name, { 'kustomization.yaml': `${text}\n`, 'a.yaml': CONFIG_MAP, ...beside }, ends, says);
}

export function server(name: string, replies: Replies, ends: string | readonly string[], says?: RegExp): Attack {
  return attack(name, { type: 'server', replies }, ends, says);
}

function attack(name: string, strike: Strike, ends: string | readonly string[], says?: RegExp): Attack {
  return { name, strike, ends: typeof ends === 'string' ? [ends] : ends, ...(says && { says }) };
}
