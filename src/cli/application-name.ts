/**
 * Names of Applications and namespaces on the command line. They are checked before any request, so that a sloppy name
 * gets a sentence and not the answer of a path that does not exist.
 */
import { APPLICATION_GROUP } from '../object/applyset.ts';
import { PLURAL, SHORT_NAME, SINGULAR } from '../application/keys.ts';
import { printable } from '../object/printable.ts';

export type ReadName = { readonly ok: true; readonly name: string } | { readonly ok: false; readonly problem: string };

const KINDS = [SINGULAR, PLURAL, SHORT_NAME].flatMap((kind) => [kind, `${kind}.${APPLICATION_GROUP}`]);

const SUBDOMAIN = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;
const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** Reads `NAME`, or `application.tautline.dev/NAME` in every form that kubectl takes. */
export function readApplicationName(text: string): ReadName {
  const slash = text.indexOf('/');
  const kind = slash < 0 ? undefined : text.slice(0, slash).toLowerCase();
  const name = text.slice(slash + 1);
  if (kind !== undefined && !KINDS.includes(kind)) {
    return { ok: false, problem: `${shown(text)} does not name an Application: write NAME or application/NAME` };
  }
  if (name === '') return { ok: false, problem: 'the name of an Application is empty' };
  if (SUBDOMAIN.test(name)) return { ok: true, name };
  const problem = `${shown(name)} cannot be the name of an Application: it has lower-case letters, digits, - and .`;
  return { ok: false, problem };
}

/** The first problem, or each name once, in the order given. */
export function readApplicationNames(
  texts: readonly string[],
): { readonly ok: true; readonly names: readonly string[] } | { readonly ok: false; readonly problem: string } {
  const names = new Set<string>();
  for (const text of texts) {
    const read = readApplicationName(text);
    if (!read.ok) return read;
    names.add(read.name);
  }
  return { ok: true, names: [...names] };
}

/** Why a text cannot be a namespace; undefined if it can. */
export function namespaceProblem(text: string): string | undefined {
  if (LABEL.test(text)) return undefined;
  return `${shown(text)} cannot be a namespace: it has at most 63 lower-case letters, digits and -`;
}

function shown(text: string): string {
  return printable(JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text));
}

export interface Choice {
  readonly names: readonly string[];
  /** All Applications of the namespace, in place of names. */
  readonly all: boolean;
}

/** As `readApplicationNames`; also refuses names beside `--all`, and neither of them. */
export function readChoice({ names, all }: Choice): ReturnType<typeof readApplicationNames> {
  if (all && names.length > 0)
    return { ok: false, problem: 'a name cannot be combined with --all: leave one of them out' };
  if (!all && names.length === 0)
    return { ok: false, problem: 'name an Application, or all of the namespace with --all' };
  return readApplicationNames(names);
}
