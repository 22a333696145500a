/** `tautline get [NAME…]`: prints Applications as a table or as they are stored. Exit codes as those of kubectl. */
import { cutText } from '../application/conditions.ts';
import { own, stringAt, type KubeObject, type ValueMap } from '../object/value.ts';
import { printable } from '../object/printable.ts';
import type { Refusal } from '../cluster/answers.ts';
import { formatWarning } from '../status/warnings.ts';
import { factsOf, isTroubled, whyOf, type ApplicationFacts } from './application-facts.ts';
import { readApplicationNames } from './application-name.ts';
import { dataText } from './data-text.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { notFound } from './find-application.ts';
import { formatAge, formatTable } from './table.ts';
import { fail, withCluster, type Access, type ClusterFlags } from './with-cluster.ts';
import { print, printError } from './output.ts';

export interface GetCommand extends ClusterFlags {
  /** Empty: all Applications of the namespace. */
  readonly names: readonly string[];
  readonly allNamespaces: boolean;
  /** A label selector, as kubectl takes it; empty: all. */
  readonly selector: string;
  readonly hasHeaders: boolean;
  readonly output: GetOutput;
  /** Print Applications again as they change, until the command is interrupted. */
  readonly watch: boolean;
}

export type GetOutput = 'table' | 'wide' | 'json' | 'yaml' | 'name';

export function runGet(command: GetCommand): Promise<ExitCode> {
  const { allNamespaces, selector, output } = command;
  const read = readApplicationNames(command.names);
  if (!read.ok) return Promise.resolve(fail(read.problem, EXIT.misused));
  const { names } = read;
  if (names.length > 0 && (allNamespaces || selector !== '')) {
    const problem = 'a name cannot be combined with --all-namespaces or --selector: leave one of them out';
    return Promise.resolve(fail(problem, EXIT.misused));
  }
  return withCluster(command, async (access) => {
    if (command.watch) return follow(access, { ...command, names });
    const found = await (names.length > 0 ? readNamed(access, names) : list(access, command));
    if (!found.ok) return fail(found.refusal.message);
    const { value: applications, missing } = found;
    if (applications.length === 0 && missing.length === 0 && isTable(output)) {
      printError(allNamespaces ? 'No applications found.\n' : `No applications in ${access.namespace}.\n`);
      return EXIT.done;
    }
    if (applications.length > 0 || missing.length === 0) {
      print(FORMATS[output](applications.map(withoutManagedFields), command));
    }
    if (names.length > 0 && isTable(output)) for (const item of applications) writeWarnings(item);
    const { cluster, namespace } = access;
    for (const name of missing) fail(await notFound(cluster, { namespace, name }));
    return missing.length > 0 ? EXIT.failed : EXIT.done;
  });
}

/** Prints all Applications, then each one that changed, in columns as wide as those of all that were printed first. */
async function follow({ cluster, namespace }: Access, command: GetCommand): Promise<ExitCode> {
  const { names, output } = command;
  const selection = { namespace: command.allNamespaces ? '' : namespace, labelSelector: command.selector };
  let shown: readonly KubeObject[] | undefined;
  for await (const followed of cluster.followApplications(selection, new AbortController().signal)) {
    if ('refusal' in followed) return fail(followed.refusal.message);
    const isAsked = ({ metadata }: KubeObject): boolean =>
      names.length === 0 || names.includes(String(metadata['name']));
    const found = followed.filter(isAsked).map(withoutManagedFields);
    if (isTable(output)) print(rowsOf(found, { before: shown, command }));
    else
      for (const object of found)
        print(`${output === 'yaml' ? '---\n' : ''}${FORMATS[output]([object], alone(command))}`);
    shown ??= found;
  }
  return EXIT.done;
}

/** A single object is printed by itself, and not as a list. */
function alone(command: GetCommand): GetCommand {
  return { ...command, names: [''] };
}

interface Shown {
  /** The Applications whose columns are on the screen; undefined: none. */
  readonly before: readonly KubeObject[] | undefined;
  readonly command: GetCommand;
}

function rowsOf(found: readonly KubeObject[], { before, command }: Shown): string {
  const text = FORMATS[command.output]([...(before ?? []), ...found], command);
  if (!before) return text;
  const lines = text.split('\n').slice(0, -1);
  return lines
    .slice(lines.length - found.length)
    .map((line) => `${line}\n`)
    .join('');
}

function isTable(output: GetOutput): boolean {
  return output === 'table' || output === 'wide';
}

/** On stderr, as kubectl prints warnings of the API server. The other formats print the whole status. */
function writeWarnings(application: KubeObject): void {
  for (const warning of factsOf(application).status.warnings ?? []) {
    printError(`Warning: ${printable(formatWarning(warning))}\n`);
  }
}

type Found =
  | {
      readonly ok: true;
      readonly value: readonly KubeObject[];
      /** Names of Applications that do not exist. */
      readonly missing: readonly string[];
    }
  | { readonly ok: false; readonly refusal: Refusal };

async function list({ cluster, namespace }: Access, { allNamespaces, selector }: GetCommand): Promise<Found> {
  const answer = await cluster.listApplications(allNamespaces ? '' : namespace, selector);
  return answer.ok ? { ...answer, missing: [] } : answer;
}

async function readNamed({ cluster, namespace }: Access, names: readonly string[]): Promise<Found> {
  const value: KubeObject[] = [];
  const missing: string[] = [];
  for (const name of names) {
    const answer = await cluster.readApplication({ namespace, name });
    if (!answer.ok) return answer;
    if (answer.value) value.push(answer.value);
    else missing.push(name);
  }
  return { ok: true, value, missing };
}

/** As kubectl does: managedFields are long, and people who read an object rarely need them. */
function withoutManagedFields(application: KubeObject): KubeObject {
  const { managedFields: _, ...metadata } = application.metadata;
  return { ...application, metadata };
}

type Format = (applications: readonly KubeObject[], command: GetCommand) => string;

const FORMATS: Readonly<Record<GetOutput, Format>> = {
  table: (applications, command) => tableOf(applications, command, [...COLUMNS, WHY]),
  wide: (applications, command) => tableOf(applications, command, [...COLUMNS, ...WIDE]),
  json: (applications, command) => dataText(oneOrList(applications, command), 'json'),
  yaml: (applications, command) => dataText(oneOrList(applications, command), 'yaml'),
  name: (applications) => applications.map((object) => `${nameOf(object)}\n`).join(''),
};

interface Row {
  readonly object: KubeObject;
  readonly facts: ApplicationFacts;
}

type Column = readonly [title: string, cell: (row: Row) => string | undefined];

const COLUMNS: readonly Column[] = [
  ['NAME', ({ object }) => stringAt(object.metadata, 'name')],
  ['SYNC', ({ facts }) => facts.status.sync?.status],
  ['HEALTH', ({ facts }) => facts.status.health?.status],
  ['READY', ({ facts }) => facts.ready?.status],
  ['REVISION', ({ facts }) => facts.status.sync?.commit],
  ['AGE', ({ object }) => formatAge(Date.now() - Date.parse(stringAt(object.metadata, 'creationTimestamp') ?? ''))],
];

const WIDE: readonly Column[] = [
  ['MODE', ({ facts: { spec } }) => (spec?.suspend ? 'suspended' : spec?.sync.mode)],
  ['REPOSITORY', ({ facts }) => facts.spec?.source.repoURL],
  ['PATH', ({ facts }) => facts.spec?.source.path],
  ['MESSAGE', ({ facts }) => printable(whyOf(facts))],
];

/** In the narrow table: only what a person has to look at, on one line of a terminal. */
const WHY: Column = ['MESSAGE', ({ facts }) => (isTroubled(facts) ? cutText(printable(whyOf(facts)), 120) : '')];

function tableOf(applications: readonly KubeObject[], command: GetCommand, columns: readonly Column[]): string {
  const namespace: Column = ['NAMESPACE', ({ object }) => stringAt(object.metadata, 'namespace')];
  const shown = command.allNamespaces ? [namespace, ...columns] : columns;
  const rows = applications.map((object) => {
    const row = { object, facts: factsOf(object) };
    return shown.map(([, cell]) => printable(cell(row) || '-'));
  });
  return formatTable(command.hasHeaders ? shown.map(([title]) => title) : undefined, rows);
}

function oneOrList(applications: readonly KubeObject[], { names }: GetCommand): ValueMap {
  const [only] = applications;
  if (names.length === 1 && only) return only;
  return { apiVersion: 'v1', kind: 'List', items: [...applications] };
}

function nameOf(application: KubeObject): string {
  return `application.tautline.dev/${String(own(application.metadata, 'name'))}`;
}
