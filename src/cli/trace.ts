/**
 * `tautline trace KIND/NAME`: goes from any live object over its owners to the Application that applied it, and to the
 * commit. Invariant: an Application is named only if both marks of an object agree on it, as the agent demands.
 */
import { decodeInventory } from '../application/inventory.ts';
import { parseApplication } from '../application/parse.ts';
import { createKindFinder, type KindInfo, type Kinds } from '../cluster/kinds.ts';
import type { LiveObject } from '../cluster/live.ts';
import { OWNER_ANNOTATION, ownerOf, PART_OF_LABEL, parseOwner, type ApplicationRef } from '../object/applyset.ts';
import { annotationsOf, formatId, groupOf, idKey, labelsOf, type ObjectId } from '../object/identity.ts';
import { nearestName } from '../object/nearest.ts';
import { listAt, stringAt, valueAt, type KubeObject, type Value, type ValueMap } from '../object/value.ts';
import { factsOf } from './application-facts.ts';
import { objectsOf } from './application-tree.ts';
import { commitText, entryOf } from './commit-text.ts';
import { dataText } from './data-text.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { findApplication } from './find-application.ts';
import { findKindByName } from './kind-name.ts';
import { formatTable } from './table.ts';
import { fail, withCluster, type Access, type ClusterFlags } from './with-cluster.ts';
import { print } from './output.ts';

export interface TraceCommand extends ClusterFlags {
  /** `KIND/NAME`. */
  readonly object: string;
  /** Whether the revision is fetched and rendered, so that the file is known for certain. */
  readonly render: boolean;
  readonly helm: string;
  readonly sops?: string | undefined;
  readonly output: 'text' | 'json' | 'yaml';
}

/** Owners above an object. */
const MAX_OWNERS = 10;
/** Objects of the kind that are compared with a name that does not exist. */
const MAX_CANDIDATES = 250;

export function runTrace(command: TraceCommand): Promise<ExitCode> {
  const named = readObjectName(command.object);
  if (!named.ok) return Promise.resolve(fail(named.problem, EXIT.misused));
  return withCluster(command, async (access) => {
    const kinds = await access.cluster.kinds();
    const found = findKindByName(kinds, named.kind);
    if (!found.ok) return fail(found.problem, EXIT.misused);
    const read = await readObject(access, found.kind, named.name);
    if (!read.ok) return fail(read.problem);
    const traced = await traceUp(access.cluster, kinds, read.object);
    const trail = traced.chain.map(formatId).join(', owned by ');
    if (!traced.ok) return fail(`${trail}: ${traced.problem}`);
    return tellApplication(access, command, traced);
  });
}

type NamedObject =
  | { readonly ok: true; readonly kind: string; readonly name: string }
  | { readonly ok: false; readonly problem: string };

/** Reads `KIND/NAME`. */
export function readObjectName(text: string): NamedObject {
  const [kind = '', name = '', ...rest] = text.split('/');
  const isName = name !== '' && name !== '.' && name !== '..' && !/[%\s]/.test(name);
  if (kind !== '' && isName && rest.length === 0) return { ok: true, kind, name };
  const shown = JSON.stringify(text.slice(0, 80));
  return { ok: false, problem: `${shown} does not name an object: write KIND/NAME, such as deployment/web` };
}

type ReadObject = { readonly ok: true; readonly object: LiveObject } | { readonly ok: false; readonly problem: string };

async function readObject({ cluster, namespace }: Access, kind: KindInfo, name: string): Promise<ReadObject> {
  const place = kind.isNamespaced ? namespace : '';
  const id = { group: kind.group, kind: kind.kind, namespace: place, name };
  const read = await cluster.client.get(kind, id);
  if (!read.ok) return { ok: false, problem: `${formatId(id)} cannot be read: ${read.refusal.message}` };
  if (read.object) return { ok: true, object: read.object };
  const listed = await cluster.client.listBySelector(kind, { namespace: place, limit: MAX_CANDIDATES });
  const nearest = nearestName(name, listed.ok ? listed.objects.map((object) => object.id.name) : []);
  const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`;
  return { ok: false, problem: `there is no ${formatId(id)}${hint}` };
}

export type Traced = { readonly chain: readonly ObjectId[] } & (
  | { readonly ok: true; readonly object: LiveObject; readonly owner: ApplicationRef }
  | { readonly ok: false; readonly problem: string }
);

/** Follows owner references up to the first object that an Application has marked. `chain` begins with the object. */
export async function traceUp(
  { client }: { readonly client: Pick<Access['cluster']['client'], 'get'> },
  kinds: Kinds,
  first: LiveObject,
): Promise<Traced> {
  const find = createKindFinder(kinds);
  const chain: ObjectId[] = [];
  let object = first;
  for (;;) {
    chain.push(object.id);
    const owner = markOf(object.body);
    if (owner) return { ok: true, chain, object, owner };
    const next = ownerReferenceOf(object);
    if (!next) return { ok: false, chain, problem: 'no Application has applied it: it has no owner and no marks' };
    if (chain.length > MAX_OWNERS) return { ok: false, chain, problem: `it has more than ${MAX_OWNERS} owners` };
    const place = [object.id.namespace, ''].map((namespace) => ({ ...next.id, namespace }));
    const known = place.flatMap((id) => {
      const kind = find(id);
      return typeof kind === 'object' ? [{ kind, id }] : [];
    })[0];
    const name = formatId(known?.id ?? { ...next.id, namespace: object.id.namespace });
    if (!known) return { ok: false, chain, problem: `the cluster does not serve the kind of its owner ${name}` };
    const read = await client.get(known.kind, known.id);
    if (!read.ok) return { ok: false, chain, problem: `its owner ${name} cannot be read: ${read.refusal.message}` };
    if (read.object?.uid !== next.uid)
      return { ok: false, chain, problem: `its owner ${name} does not exist any more` };
    object = read.object;
  }
}

/** Some controllers copy annotations to what they create, so the annotation alone says nothing. */
function markOf(object: KubeObject): ApplicationRef | undefined {
  const owner = parseOwner(annotationsOf(object)[OWNER_ANNOTATION] ?? '');
  return owner && labelsOf(object)[PART_OF_LABEL] === ownerOf(owner).applySetId ? owner : undefined;
}

function ownerReferenceOf({ body }: LiveObject): { readonly id: Omit<ObjectId, 'namespace'>; uid: string } | undefined {
  const references = listAt(body.metadata, 'ownerReferences');
  const owner = references.find((one) => valueAt(one, 'controller') === true) ?? references[0];
  if (owner === undefined) return undefined;
  const group = groupOf(stringAt(owner, 'apiVersion') ?? '');
  const id = { group, kind: stringAt(owner, 'kind') ?? '', name: stringAt(owner, 'name') ?? '' };
  return { id, uid: stringAt(owner, 'uid') ?? '' };
}

async function tellApplication(
  { cluster }: Access,
  command: TraceCommand,
  { chain, object, owner }: Traced & { readonly ok: true },
): Promise<ExitCode> {
  const hub = await cluster.clusterId();
  if (hub !== undefined && hub !== owner.hubId) {
    return fail(`${formatId(object.id)} belongs to the Application ${nameOf(owner)} of another cluster`);
  }
  const access = { cluster, namespace: owner.namespace };
  const found = await findApplication(access, owner.name);
  if (!found.ok) return fail(`${formatId(object.id)} is marked by the Application ${nameOf(owner)}: ${found.problem}`);
  const file = (command.render ? await renderedFile(access, command, found.application, object.id) : undefined) ?? {
    file: originOf(object.body),
  };
  if ('problem' in file) return fail(file.problem);
  const traced = viewOf(found.application, { chain, object: object.id, file: file.file });
  print(command.output === 'text' ? traceText(found.application, traced) : dataText(traced, command.output));
  return EXIT.done;
}

type FoundFile = { readonly file: string | undefined } | { readonly problem: string };

/** Where the manifest of an object is in the current revision of the Application. */
async function renderedFile(
  { cluster }: Access,
  { helm, sops }: TraceCommand,
  application: KubeObject,
  id: ObjectId,
): Promise<FoundFile> {
  const parsed = parseApplication(application);
  if (!parsed.ok) return { problem: `the Application is malformed: ${parsed.problems.join('; ')}` };
  const { spec, metadata } = parsed.application;
  const programs = { helm, sops };
  const { renderCommit } = await import('./rendered.ts');
  const { manifests } = await renderCommit(cluster, parsed.application, { wanted: undefined, programs });
  const place = spec.destination.namespace ?? metadata.namespace;
  const found = manifests.manifests.find(({ object }) => {
    const namespace = id.namespace === '' ? '' : (stringAt(object.metadata, 'namespace') ?? place);
    const name = stringAt(object.metadata, 'name') ?? '';
    return idKey({ group: groupOf(object.apiVersion), kind: object.kind, namespace, name }) === idKey(id);
  });
  return { file: found && `${found.file}:${found.line}` };
}

/** kustomize writes it where a kustomization asks for `buildMetadata: [originAnnotations]`. */
function originOf(object: KubeObject): string | undefined {
  const origin = annotationsOf(object)['config.kubernetes.io/origin'] ?? '';
  return /^(?:path|configuredIn): (.+)$/m.exec(origin)?.[1];
}

interface View {
  readonly chain: readonly ObjectId[];
  readonly object: ObjectId;
  readonly file: string | undefined;
}

/** For programs. */
function viewOf(application: KubeObject, { chain, object, file }: View): ValueMap {
  const { metadata, spec, status } = factsOf(application);
  const { revision, commit, status: sync } = status.sync ?? {};
  const { subject, author, committedAt } = entryOf(status, revision) ?? {};
  const told = objectsOf(application).find(({ id }) => idKey(id) === idKey(object));
  const decoded = decodeInventory(status.inventory);
  const isInInventory = decoded.ok && decoded.ids.some((id) => idKey(id) === idKey(object));
  const entries: [string, Value | undefined][] = [
    ['chain', chain.map((id) => ({ ...id }))],
    ['application', { namespace: metadata.namespace, name: metadata.name }],
    ['sync', sync],
    ['health', status.health?.status],
    ['object', told && { sync: told.sync, health: told.health.status, message: told.message ?? '' }],
    ['isInInventory', isInInventory],
    ['repository', spec?.source.repoURL],
    ['path', spec?.source.path],
    ['revision', revision],
    ['commit', commit],
    ['subject', subject],
    ['author', author],
    ['committedAt', committedAt],
    ['file', file],
  ];
  return Object.fromEntries(entries.flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const])));
}

export function traceText(application: KubeObject, view: ValueMap): string {
  const { metadata, status } = factsOf(application);
  const at = (...path: string[]): string | undefined => stringAt(view, ...path);
  const chain = listAt(view, 'chain') as unknown as readonly ObjectId[];
  const state = [at('sync') ?? 'Unknown', at('health') ?? 'Unknown'].join(', ');
  const objectState = [at('object', 'sync'), at('object', 'health')].filter(Boolean).join(', ');
  const message = at('object', 'message');
  const lines: [string, string | undefined][] = [
    ...chain.map((id, index): [string, string] => [index === 0 ? 'Object' : 'Owned by', formatId(id)]),
    ['State', objectState === '' ? undefined : `${objectState}${message ? `: ${message}` : ''}`],
    ['Application', `${metadata.namespace}/${metadata.name} (${state})`],
    ['', view['isInInventory'] === false ? 'its inventory does not list the object yet' : undefined],
    ['Repository', at('repository')],
    ['Path', at('path')],
    ['Revision', at('revision')],
    ['Commit', commitText(status, Date.now())],
    ['File', at('file') ?? 'not known without a render: add --render'],
  ];
  const rows = lines.filter((line): line is [string, string] => line[1] !== undefined);
  return formatTable(undefined, rows);
}

function nameOf({ namespace, name }: ApplicationRef): string {
  return `${namespace}/${name}`;
}
