/** `tautline get [NAME]`: prints Applications as a table or as they are stored. Exit codes as those of kubectl. */
import { cutText } from '../application/conditions.ts';
import { own, stringAt, type KubeObject, type ValueMap } from '../object/value.ts';
import { stringifyJson } from '../object/json.ts';
import { writeYaml } from '../object/yaml/write.ts';
import { printable } from '../object/printable.ts';
import type { Refusal } from '../cluster/answers.ts';
import { formatWarning } from '../status/warnings.ts';
import { factsOf, isTroubled, whyOf, type ApplicationFacts } from './application-facts.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { formatAge, formatTable } from './table.ts';
import { fail, withCluster, type Access, type ClusterFlags } from './with-cluster.ts';

export interface GetCommand extends ClusterFlags {
  /** undefined: all Applications of the namespace. */
  readonly name?: string | undefined;
  readonly allNamespaces: boolean;
  readonly output: GetOutput;
}

export type GetOutput = 'table' | 'wide' | 'json' | 'yaml' | 'name';

export function runGet(command: GetCommand): Promise<ExitCode> {
  return withCluster(command, async (access) => {
    const { name, allNamespaces } = command;
    if (name !== undefined && allNamespaces)
      return fail('a name and --all-namespaces cannot be combined: leave one of them out', EXIT.misused);
    const found = await read(access, command);
    if (!found.ok) return fail(found.refusal.message);
    const applications = found.value;
    if (name !== undefined && applications.length === 0) return fail(notFound(access.namespace, name));
    if (applications.length === 0 && isTable(command.output)) {
      process.stderr.write(allNamespaces ? 'No applications found.\n' : `No applications in ${access.namespace}.\n`);
      return EXIT.done;
    }
    process.stdout.write(FORMATS[command.output](applications.map(withoutManagedFields), command));
    if (name !== undefined && isTable(command.output)) for (const item of applications) writeWarnings(item);
    return EXIT.done;
  });
}

function isTable(output: GetOutput): boolean {
  return output === 'table' || output === 'wide';
}

/** On stderr, as kubectl prints warnings of the API server. The other formats print the whole status. */
function writeWarnings(application: KubeObject): void {
  for (const warning of factsOf(application).status.warnings ?? []) {
    process.stderr.write(`Warning: ${printable(formatWarning(warning))}\n`);
  }
}

export function notFound(namespace: string, name: string): string {
  return `there is no Application ${name} in namespace ${namespace}; "tautline get -A" lists all Applications`;
}

type Found =
  { readonly ok: true; readonly value: readonly KubeObject[] } | { readonly ok: false; readonly refusal: Refusal };

async function read({ cluster, namespace }: Access, { name, allNamespaces }: GetCommand): Promise<Found> {
  if (name === undefined) return cluster.listApplications(allNamespaces ? '' : namespace);
  const answer = await cluster.readApplication({ namespace, name });
  return answer.ok ? { ok: true, value: answer.value ? [answer.value] : [] } : answer;
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
  json: (applications, command) => `${stringifyJson(oneOrList(applications, command), 2)}\n`,
  yaml: (applications, command) => writeYaml(oneOrList(applications, command)),
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
    return shown.map(([, cell]) => cell(row) || '-');
  });
  const header = shown.map(([title]) => title);
  return formatTable(header, rows);
}

function oneOrList(applications: readonly KubeObject[], { name }: GetCommand): ValueMap {
  const [only] = applications;
  if (name !== undefined && only) return only;
  return { apiVersion: 'v1', kind: 'List', items: [...applications] };
}

function nameOf(application: KubeObject): string {
  return `application.tautline.dev/${String(own(application.metadata, 'name'))}`;
}
