/**
 * Bad input as data: what render, bind and diff found wrong. A problem never throws, so that everything it does not
 * concern goes on. Codes are a closed list, each with its row in docs/troubleshooting.md.
 */
import type { ObjectId } from './identity.ts';
import { printable } from './printable.ts';

export type ProblemCode =
  | 'PathNotFound' // spec.source.path, or a path that a kustomization names, is not in the snapshot
  | 'PathEscapesRoot' // a path or link leaves the repository or the kustomization's root
  | 'YamlSyntax' // a text is no YAML or JSON
  | 'NotAnObject' // a document without apiVersion, kind or metadata.name
  | 'KustomizationInvalid' // a kustomization.yaml that kustomize would refuse
  | 'Unsupported' // a feature that is refused by name (plugins, remote bases, charts)
  | 'LimitExceeded' // a bound of config.ts: size, count, nesting, expansion
  | 'DuplicateObject' // the same object twice in one render
  | 'KindUnknown' // the cluster serves no such kind, and the render defines none
  | 'KindUnavailable' // the kind's API group does not answer: unknown, never gone
  | 'NamespaceNotAllowed' // outside the namespaces that this Application may write
  | 'ReservedField' // a field that belongs to Tautline or to the server (part-of, ownerReferences, generateName)
  | 'InvalidObject'; // the API server refuses the object as it stands

export interface Problem {
  readonly code: ProblemCode;
  /** One or two sentences for a person; holds no content from outside the render, and no Secret value. */
  readonly message: string;
  /** Path within the snapshot. */
  readonly file?: string;
  /** 1-based. */
  readonly line?: number;
  /** 1-based. */
  readonly column?: number;
  /** The line in question, as it stands in the file (never of a Secret). */
  readonly excerpt?: string;
  readonly object?: ObjectId;
  /** What to do about it. */
  readonly hint?: string;
}

/** A kind can come with a later CRD and a group can answer again; all else stays wrong until the revision changes. */
export function isPassing({ code }: Problem): boolean {
  return code === 'KindUnknown' || code === 'KindUnavailable';
}

/** `file:line: message`, then the line itself, then the hint, all fit to be shown; at most `maxChars` characters. */
export function formatProblem(problem: Problem, maxChars = 1024): string {
  const place = problem.file === undefined ? '' : `${problem.file}${problem.line ? `:${problem.line}` : ''}: `;
  const excerpt = problem.excerpt === undefined ? '' : `\n  ${printable(problem.excerpt.trimEnd())}`;
  const hint = problem.hint === undefined ? '' : `\n  ${printable(problem.hint)}`;
  const text = `${printable(`${place}${problem.message}`)}${excerpt}${hint}`;
  return text.length <= maxChars ? text : `${text.slice(0, maxChars - 1)}…`;
}
