/**
 * Problems: mistakes in the input that render, bind and diff report as data, so that everything else can go on. The
 * codes are a closed list, each with a row in docs/troubleshooting.md.
 */
import type { ObjectId } from './identity.ts';
import { printable } from './printable.ts';

export type ProblemCode =
  | 'PathNotFound' // spec.source.path, or a path that a kustomization names, is not in the snapshot
  | 'PathEscapesRoot' // a path or link leaves the repository or the root of the kustomization
  | 'YamlSyntax' // a text is not valid YAML or JSON
  | 'NotAnObject' // a document without apiVersion, kind or metadata.name
  | 'KustomizationInvalid' // a kustomization.yaml that kustomize would refuse
  | 'SubstitutionFailed' // a variable has no value, an expression is malformed, or the result is no YAML
  | 'ChartInvalid' // a chart, or its options, that helm refuses
  | 'DependencyMissing' // a dependency of a chart is missing in its folder, and cannot be brought
  | 'ValuesInvalid' // values that cannot be read, or that the schema of the chart refuses
  | 'TemplateFailed' // a template that helm cannot execute, or that refuses its values
  | 'NonDeterministic' // a chart that prints something else for the same input
  | 'SubmoduleInvalid' // a submodule that .gitmodules describes wrongly, or whose commit cannot be brought
  | 'LfsUnavailable' // the content of a file in Git LFS that its server does not give out, or gives out changed
  | 'Sealed' // a file that SOPS has sealed, without a key to open it
  | 'DecryptionFailed' // a sealed file that no key opens, that was changed, or whose kind of key is not supported
  | 'Unsupported' // a feature that is not supported, or that settings do not allow
  | 'LimitExceeded' // a setting that bounds size, count, nesting or expansion
  | 'DuplicateObject' // the same object twice in one render
  | 'OrderInvalid' // annotations that order objects: malformed, of unknown objects, or a cycle
  | 'KindUnknown' // the cluster serves no such kind, and the render defines none
  | 'KindUnavailable' // the API group of the kind does not answer: the kind is unknown, not gone
  | 'NamespaceNotAllowed' // outside the namespaces that this Application may write
  | 'ReservedField' // a field that only Tautline or the server may set (part-of, ownerReferences, generateName)
  | 'InvalidObject'; // the API server refuses the object

export interface Problem {
  readonly code: ProblemCode;
  /** One or two sentences for a person, without content from outside the render and without Secret values. */
  readonly message: string;
  /** Path within the snapshot. */
  readonly file?: string;
  /** 1-based. */
  readonly line?: number;
  /** 1-based. */
  readonly column?: number;
  /** Lines of the file, as they are written there, the last one is that of the problem; never those of a Secret. */
  readonly excerpt?: string;
  readonly object?: ObjectId;
  /** Says how to mend it. */
  readonly hint?: string;
}

/**
 * Whether a problem may disappear without a new revision: a CRD may be installed later, an API group may answer again.
 */
export function isPassing({ code }: Problem): boolean {
  return code === 'KindUnknown' || code === 'KindUnavailable';
}

/**
 * `file:line: message`, then the lines of the file, then the hint, with unprintable characters escaped; cut at
 * `maxChars` characters.
 */
export function formatProblem(problem: Problem, maxChars = 1024): string {
  const place = problem.file === undefined ? '' : `${problem.file}${problem.line ? `:${problem.line}` : ''}: `;
  const excerpt =
    problem.excerpt
      ?.trimEnd()
      .split('\n')
      .map((line) => `\n  ${printable(line)}`)
      .join('') ?? '';
  const hint = problem.hint === undefined ? '' : `\n  ${printable(problem.hint)}`;
  const text = `${printable(`${place}${problem.message}`)}${excerpt}${hint}`;
  return text.length <= maxChars ? text : `${text.slice(0, maxChars - 1)}…`;
}
