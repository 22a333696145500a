/**
 * `tautline diff`: lists the differences between an Application and the cluster, by object and field. Exit codes
 * as those of `kubectl diff`: 0 nothing differs, 1 something differs, more: the comparison failed.
 */
import type { Change, FieldDifference } from '../diff/changes.ts';
import { FIELD_MANAGER } from '../object/applyset.ts';
import { compareIds, formatId, versionOf } from '../object/identity.ts';
import { stringifyJson } from '../object/json.ts';
import { MASK } from '../object/redact.ts';
import { printable, printableLines } from '../object/printable.ts';
import { formatProblem } from '../object/problem.ts';
import type { Value } from '../object/value.ts';
import type { Manifests } from '../render/manifests.ts';
import { readApplicationName } from './application-name.ts';
import { compareApplication } from './compare-application.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { isLocalFolder } from './local-tree.ts';
import { readDeclared, readFromFile } from './read-application.ts';
import { resolveCommit } from './resolve-commit.ts';
import { readSources } from './render-flags.ts';
import { renderCommit, renderLocal } from './rendered.ts';
import { fail, withCluster, type ClusterFlags } from './with-cluster.ts';
import { paint, print, printError, printPainted, type Colour } from './output.ts';

export type DiffOutput = 'text' | 'json' | 'patch' | 'name';

export interface DiffCommand extends ClusterFlags {
  /** undefined: the Application of `filename`. */
  readonly name?: string | undefined;
  /** A file with the Application, which need not be in the cluster. */
  readonly filename?: string | undefined;
  /** A folder that replaces spec.source.path; undefined: compare with a commit of the repository. */
  readonly local?: string | undefined;
  /** Path or name of helm. */
  readonly helm: string;
  /** Path or name of sops; undefined: sealed files are not opened. */
  readonly sops?: string | undefined;
  /** `name=dir`: folders that replace entries of spec.sources beside `local`. */
  readonly source?: readonly string[] | undefined;
  /** A commit, the start of one, a branch or a tag. undefined: the current revision of the Application. */
  readonly revision?: string | undefined;
  readonly output: DiffOutput;
}

export function runDiff({
  name,
  filename,
  local,
  source,
  revision,
  output,
  helm,
  sops,
  ...flags
}: DiffCommand): Promise<ExitCode> {
  const problem = problemOf({ name, filename, local, revision });
  if (problem !== undefined) return Promise.resolve(fail(problem, EXIT.misused));
  const sources = readSources(source ?? []);
  if (!sources.ok) return Promise.resolve(fail(sources.problem, EXIT.misused));
  return withCluster(
    flags,
    async (access) => {
      const found = await (filename === undefined
        ? readDeclared(access, name ?? '')
        : readFromFile(access, { filename, name }));
      if (!found.ok) return fail(found.problem, EXIT.misused);
      const { application, isFromFile } = found;
      const wanted = revision ?? (isFromFile ? application.spec.source.revision : undefined);
      const commit =
        local === undefined && wanted !== undefined
          ? await resolveCommit(access.cluster, application, wanted)
          : undefined;
      if (commit && !commit.ok) return fail(commit.problem, EXIT.misused);
      const programs = { helm, sops };
      const { origin, manifests } =
        local === undefined
          ? await renderCommit(access.cluster, application, { wanted: commit?.revision, programs })
          : await renderLocal(access.cluster, application, { dir: local, sources: sources.value, programs });
      const compared = await compareApplication(access.cluster, application, manifests);
      if (!compared.ok) {
        for (const one of compared.problems) fail(formatProblem(one));
        return EXIT.misused;
      }
      writeWarnings(manifests, compared.changes);
      const changes = compared.changes.filter(({ type }) => type !== 'none');
      const count = changes.length === 0 ? 'no difference' : countOf(changes);
      printError(`${application.metadata.name} against ${origin}: ${count}\n`);
      const write = output === 'text' ? printPainted : print;
      write(FORMATS[output]([...changes].sort((a, b) => compareIds(a.id, b.id))));
      if (changes.some(({ type }) => type === 'unknown')) return EXIT.misused;
      return changes.length > 0 ? EXIT.failed : EXIT.done;
    },
    EXIT.misused,
  );
}

function problemOf({
  name,
  filename,
  local,
  revision,
}: Pick<DiffCommand, 'name' | 'filename' | 'local' | 'revision'>): string | undefined {
  if (name === undefined && filename === undefined) return 'name an Application, or its file with --filename';
  const named = name === undefined ? undefined : readApplicationName(name);
  if (named && !named.ok) return named.problem;
  if (local !== undefined && revision !== undefined) return '--local and --revision cannot be combined';
  if (local !== undefined && !isLocalFolder(local)) return `there is no folder ${local}`;
  return undefined;
}

/** Warnings of the render as kustomize prints them, and those of the API server about dry runs as kubectl does. */
function writeWarnings(
  { warnings, whyEmpty }: Pick<Manifests, 'warnings' | 'whyEmpty'>,
  changes: readonly Change[],
): void {
  for (const warning of warnings) printError(`${printable(warning)}\n`);
  if (whyEmpty !== undefined) printError(`Warning: ${printableLines(whyEmpty)}\n`);
  for (const change of [...changes].sort((a, b) => compareIds(a.id, b.id))) {
    for (const warning of change.warnings ?? []) {
      printError(`Warning: ${formatId(change.id)}: ${printable(warning)}\n`);
    }
  }
}

function countOf(changes: readonly Change[]): string {
  return changes.length === 1 ? '1 object differs' : `${changes.length} objects differ`;
}

interface Mark {
  readonly sign: string;
  readonly colour: Colour;
  readonly word: string;
}

const CHANGED: Mark = { sign: '~', colour: 'yellow', word: 'changed' };
const FOREIGN: Mark = { sign: '!', colour: 'red', word: 'foreign' };

const MARKS: Readonly<Record<Change['type'], Mark>> = {
  create: { sign: '+', colour: 'green', word: 'missing' },
  update: CHANGED,
  adopt: CHANGED,
  prune: { sign: '-', colour: 'red', word: 'surplus' },
  release: { sign: '-', colour: 'red', word: 'surplus' },
  conflict: FOREIGN,
  unknown: { sign: '?', colour: 'red', word: 'unknown' },
  unsure: { sign: '?', colour: 'red', word: 'unknown' },
  none: { sign: ' ', colour: 'green', word: 'equal' },
};

const FORMATS: Readonly<Record<DiffOutput, (changes: readonly Change[]) => string>> = {
  text: (changes) => changes.map(formatChange).join(''),
  name: (changes) => changes.map(({ type, id }) => `${MARKS[type].sign} ${formatId(id)}\n`).join(''),
  json: (changes) => `${stringifyJson(changes.map(viewOf), 2)}\n`,
  patch: (changes) => changes.map((change) => `${stringifyJson(patchViewOf(change))}\n`).join(''),
};

function formatChange({ type, id, desired, fields, reason }: Change): string {
  const { sign, colour } = MARKS[type];
  const place = desired ? ` (${printable(desired.file)}:${desired.line})` : '';
  // For missing and surplus objects the sign says the same as the reason.
  const why = reason === undefined || sign === '+' || sign === '-' ? '' : `: ${printable(reason)}`;
  return `${paint(colour, `${sign} ${formatId(id)}`)}${place}${why}\n${fields.map(formatField).join('')}`;
}

function formatField({ path, live, desired, hunks, manager }: FieldDifference): string {
  // The agent itself wrote what a new commit changes.
  const by = manager === undefined || manager === FIELD_MANAGER ? '' : `   (by ${printable(manager)})`;
  if (hunks !== undefined) return `    ${printable(path)}:${by}\n${hunks.split('\n').map(formatHunkLine).join('')}`;
  if (live === MASK && desired === MASK) return `    ${printable(path)}: ${paint('yellow', 'changed')}${by}\n`;
  return `    ${printable(path)}: ${paint('red', show(live))} → ${paint('green', show(desired))}${by}\n`;
}

function formatHunkLine(line: string): string {
  const shown = line.startsWith('-')
    ? paint('red', line)
    : line.startsWith('+')
      ? paint('green', line)
      : printable(line);
  return `      ${shown}\n`;
}

function show(value: Value | undefined): string {
  return value === undefined ? 'absent' : stringifyJson(value);
}

/** kubectl takes `patch` with `--type=json`, and names the kind `Kind.version.group`. */
function patchViewOf({ type, id, live, reason, ...change }: Change): Value {
  const { group, kind, namespace, name } = id;
  const mark = MARKS[type];
  const patch = mark === CHANGED ? change.patch : undefined;
  return {
    state: mark.word,
    group,
    ...(live ? { version: versionOf(live.apiVersion) } : {}),
    kind,
    namespace,
    name,
    ...(reason === undefined ? {} : { reason }),
    ...(patch?.isMasked ? { masked: true } : {}),
    ...(patch ? { patch: patch.operations.map((operation) => ({ ...operation })) } : {}),
  };
}

function viewOf({ type, id, desired, fields, reason }: Change): Value {
  return {
    state: MARKS[type].word,
    ...id,
    ...(desired ? { file: desired.file, line: desired.line } : {}),
    ...(reason === undefined ? {} : { reason }),
    fields: fields.map((field) => ({ ...field })),
  };
}
