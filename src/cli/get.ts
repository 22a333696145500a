/** `tautline get [NAME]`: Applications as a table, or as they are stored. Exit codes as of kubectl. */
import { own, stringAt, type KubeObject, type ValueMap } from '../object/value.ts';
import { stringifyJson } from '../object/json.ts';
import { writeYaml } from '../object/yaml/write.ts';
import { printable } from '../object/printable.ts';
import type { Refusal } from '../cluster/answers.ts';
import { formatWarning } from '../status/warnings.ts';
import { firstLine, tell } from './application-words.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { formatAge, formatTable } from './table.ts';
import { fail, withCluster, type Access, type ClusterFlags } from './with-cluster.ts';

export interface GetCommand extends ClusterFlags {
  /** Absent: all of the namespace. */
  readonly name?: string | undefined;
  readonly allNamespaces: boolean;
  readonly output: GetOutput;
}

export type GetOutput = 'table' | 'wide' | 'json' | 'yaml' | 'name';

export function runGet(command: GetCommand): Promise<ExitCode> {
  return withCluster(command, async (access) => {
    const { name, allNamespaces } = command;
    if (name !== undefined && allNamespaces)
      return fail('a name and --all-namespaces exclude each other', EXIT.misused);
    const found = await read(access, command);
    if (!found.ok) return fail(found.refusal.message);
    const applications = found.value;
    if (name !== undefined && applications.length === 0) return fail(noSuch(access.namespace, name));
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
  for (const warning of tell(application).status.warnings ?? []) {
    process.stderr.write(`Warning: ${printable(formatWarning(warning))}\n`);
  }
}

export function noSuch(namespace: string, name: string): string {
  return `there is no Application ${name} in namespace ${namespace}; "tautline get -A" lists those of all namespaces`;
}

type Found =
  { readonly ok: true; readonly value: readonly KubeObject[] } | { readonly ok: false; readonly refusal: Refusal };

async function read({ cluster, namespace }: Access, { name, allNamespaces }: GetCommand): Promise<Found> {
  if (name === undefined) return cluster.listApplications(allNamespaces ? '' : namespace);
  const answer = await cluster.readApplication({ namespace, name });
  return answer.ok ? { ok: true, value: answer.value ? [answer.value] : [] } : answer;
}

/** As kubectl: nobody who looks at an object wants to read who wrote which field of it. */
function withoutManagedFields(application: KubeObject): KubeObject {
  const { managedFields: _, ...metadata } = application.metadata;
  return { ...application, metadata };
}

type Format = (applications: readonly KubeObject[], command: GetCommand) => string;

const FORMATS: Readonly<Record<GetOutput, Format>> = {
  table: (applications, command) => tableOf(applications, command, COLUMNS),
  wide: (applications, command) => tableOf(applications, command, [...COLUMNS, ...WIDE]),
  json: (applications, command) => `${stringifyJson(asOne(applications, command), 2)}\n`,
  yaml: (applications, command) => writeYaml(asOne(applications, command)),
  name: (applications) => applications.map((object) => `${nameOf(object)}\n`).join(''),
};

type Column = readonly [title: string, cell: (object: KubeObject) => string | undefined];

const COLUMNS: readonly Column[] = [
  ['NAME', ({ metadata }) => stringAt(metadata, 'name')],
  ['SYNC', (object) => tell(object).status.sync?.status],
  ['HEALTH', (object) => tell(object).status.health?.status],
  ['READY', (object) => tell(object).ready?.status],
  ['REVISION', (object) => tell(object).status.sync?.commit],
  ['AGE', (object) => formatAge(Date.now() - Date.parse(stringAt(object.metadata, 'creationTimestamp') ?? ''))],
];

const WIDE: readonly Column[] = [
  ['MODE', (object) => (tell(object).spec?.suspend ? 'suspended' : tell(object).spec?.sync.mode)],
  ['REPOSITORY', (object) => tell(object).spec?.source.repoURL],
  ['PATH', (object) => tell(object).spec?.source.path],
  ['MESSAGE', (object) => firstLine(tell(object).ready?.message ?? '')],
];

function tableOf(applications: readonly KubeObject[], command: GetCommand, columns: readonly Column[]): string {
  const place: Column = ['NAMESPACE', ({ metadata }) => stringAt(metadata, 'namespace')];
  const shown = command.allNamespaces ? [place, ...columns] : columns;
  const rows = applications.map((object) => shown.map(([, cell]) => cell(object) || '-'));
  const header = shown.map(([title]) => title);
  return formatTable(header, rows);
}

function asOne(applications: readonly KubeObject[], { name }: GetCommand): ValueMap {
  const [only] = applications;
  if (name !== undefined && only) return only;
  return { apiVersion: 'v1', kind: 'List', items: [...applications] };
}

function nameOf(application: KubeObject): string {
  return `application.tautline.dev/${String(own(application.metadata, 'name'))}`;
}
