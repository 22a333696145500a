/**
 * Reads and writes of objects with the rights of one identity.
 *
 * Invariant: no answer makes a request throw. A path that would not name exactly the object is refused before anything
 * is sent. A delete always carries uid and resourceVersion.
 */
import { randomBytes } from 'node:crypto';
import { FIELD_MANAGER } from '../../object/applyset.ts';
import { stringifyJson } from '../../object/json.ts';
import { listAt, mapAt, newMap, stringAt, type KubeObject, type Value, type ValueMap } from '../../object/value.ts';
import type { Refusal } from '../answers.ts';
import { identityHeaders, type Identity } from '../identity.ts';
import { DATA_KINDS, type KindInfo } from '../kinds.ts';
import { readLiveObject, toLiveObject, tryParseJson } from '../live-object.ts';
import type { Discovery } from './discovery.ts';
import { createOwnershipWrites } from './ownership-writes.ts';
import { collectionPath, objectPath, query } from './paths.ts';
import type {
  ApplyRequest,
  ClusterClient,
  FullClient,
  DeleteAnswer,
  DeleteRequest,
  ReadAnswer,
  Refused,
  SecretAnswer,
  WriteAnswer,
} from '../ports.ts';
import type { HttpAnswer, HttpRequest, Transport } from '../transport/transport.ts';
import { refusalOf } from './refusal.ts';
import { readWarnings } from './warnings.ts';
import { writeYamlSafeJson } from './yaml-safe-json.ts';

const JSON_TYPE = 'application/json';
const APPLY = 'application/apply-patch+yaml';

/** A request about a kind, without the identity, which the client adds. */
interface Call extends Pick<HttpRequest, 'verb' | 'method' | 'body' | 'contentType' | 'acceptsGzip'> {
  readonly kind: KindInfo;
  /** Throws RangeError for a name that would address something else. */
  readonly path: () => string;
}

/** The part of Discovery that a client needs. */
export type KindsPort = Pick<Discovery, 'kinds' | 'doubt'>;

/** Throws RangeError for a malformed identity, so that no request is sent with rights that are in doubt. */
export function createClient(transport: ClientTransport, identity: Identity, discovery?: KindsPort): FullClient {
  identityHeaders(identity);
  const call = async (request: Call): Promise<CallAnswer> => {
    const answer = await send(transport, identity, request);
    if (!answer.ok && answer.refusal.code === 'KindNotServed') discovery?.doubt();
    return answer;
  };
  const reads = createReads(call);
  const kinds: KindsPort['kinds'] = (options) =>
    discovery ? discovery.kinds(options) : Promise.reject(new RangeError('nothing is known of kinds'));
  return { ...reads, ...createWrites(call, reads, kinds) };
}

type ClientTransport = Pick<Transport, 'send'>;

type Reads = Pick<FullClient, 'get' | 'readSecret' | 'readConfigMap' | 'listBySelector'>;

function createReads(call: (request: Call) => Promise<CallAnswer>): Reads {
  async function readData(
    kind: KindInfo,
    name: { readonly namespace: string; readonly name: string },
  ): Promise<SecretAnswer> {
    const answer = await call({ kind, verb: 'get', method: 'GET', path: () => objectPath(kind, name) });
    if (!answer.ok) return answer.refusal.code === 'NotFound' ? { ok: true, data: undefined } : answer;
    const body = tryParseJson(answer.http.text);
    if (stringAt(body, 'kind') !== kind.kind) return { ok: false, refusal: unreadable(answer.http) };
    if (kind !== DATA_KINDS.Secret) return { ok: true, data: configData(body) };
    return { ok: true, data: decodeData(body, 'data'), labels: labelsOf(body) };
  }

  return {
    async get(kind, id): Promise<ReadAnswer> {
      const answer = await call({ kind, verb: 'get', method: 'GET', path: () => objectPath(kind, id) });
      if (!answer.ok) return answer.refusal.code === 'NotFound' ? { ok: true, object: undefined } : answer;
      const object = readLiveObject(kind, answer.http.text);
      return object ? { ok: true, object } : { ok: false, refusal: unreadable(answer.http) };
    },

    readSecret: (namespace, name) => readData(DATA_KINDS.Secret, { namespace, name }),
    readConfigMap: (namespace, name) => readData(DATA_KINDS.ConfigMap, { namespace, name }),

    async listBySelector(kind, { namespace, labelSelector, fieldSelector, limit }) {
      const answer = await call({
        kind,
        verb: 'list',
        method: 'GET',
        path: () => collectionPath(kind, namespace) + query({ labelSelector, fieldSelector, limit }),
        acceptsGzip: true,
      });
      if (!answer.ok) return answer;
      const items = listAt(tryParseJson(answer.http.text), 'items');
      const objects = items.map((item) => toLiveObject(kind, item)).filter((object) => object !== undefined);
      return { ok: true, objects: objects.slice(0, limit) };
    },
  };
}

/** The writes of whole objects in one place, so that their headers and parameters can be compared at a glance. */
function createWrites(
  call: (request: Call) => Promise<CallAnswer>,
  reads: Reads,
  kinds: KindsPort['kinds'],
): Omit<ClusterClient, keyof Reads> {
  async function write(request: Call): Promise<WriteAnswer> {
    const answer = await call(request);
    return answer.ok ? readWritten(answer.http, request.kind) : answer;
  }

  return {
    async apply(request: ApplyRequest) {
      const { kind, force, dryRun, fieldManager = FIELD_MANAGER, liveSecretKeys = [] } = request;
      const body = request.isCreation ? atNoVersion(request.body) : request.body;
      const parameters = { fieldManager, force, dryRun: dryRun ? 'All' : undefined };
      const name = nameOf(kind, body);
      const secret = liveSecretKeys.length > 0 ? await reads.readSecret(name.namespace, name.name) : undefined;
      if (secret?.ok === false) return secret;
      return write({
        kind,
        verb: 'apply',
        method: 'PATCH',
        path: () => objectPath(kind, name) + query(parameters),
        body: writeYamlSafeJson(secret?.data ? withLiveData(body, liveSecretKeys, secret.data) : body),
        contentType: APPLY,
      });
    },

    ...createOwnershipWrites({ write, kinds }),

    async isImmutable(kind, body) {
      const namespace = stringAt(body.metadata, 'namespace') ?? '';
      const answer = await call({
        kind,
        verb: 'create',
        method: 'POST',
        path: () => collectionPath(kind, namespace) + query({ dryRun: 'All', fieldManager: FIELD_MANAGER }),
        body: stringifyJson(underOtherName(body)),
        contentType: JSON_TYPE,
      });
      return answer.ok;
    },

    async remove(request): Promise<DeleteAnswer> {
      const { kind, id } = request;
      const answer = await call({
        kind,
        verb: 'delete',
        method: 'DELETE',
        path: () => objectPath(kind, id),
        body: stringifyJson(deleteOptions(request)),
        contentType: JSON_TYPE,
      });
      if (answer.ok) return { ok: true, outcome: deleteOutcome(answer.http) };
      const isGone = answer.refusal.code === 'NotFound' || answer.refusal.code === 'KindNotServed';
      return isGone ? { ok: true, outcome: 'gone' } : answer;
    },
  };
}

type CallAnswer = { readonly ok: true; readonly http: HttpAnswer } | Refused;

async function send(
  transport: ClientTransport,
  identity: Identity,
  { kind, path, ...rest }: Call,
): Promise<CallAnswer> {
  let target: string;
  try {
    target = path();
  } catch (error) {
    return { ok: false, refusal: unsendable(error) };
  }
  const http = await transport.send({ ...rest, path: target, identity, category: 'object' });
  if (http.status >= 200 && http.status < 300) return { ok: true, http };
  return { ok: false, refusal: refusalOf(http, rest.verb, kind) };
}

/**
 * The body of a delete. Throws RangeError for an empty uid or resourceVersion: the API server reads an empty
 * precondition as no precondition, and would delete any object of that name.
 */
export function deleteOptions({ uid, resourceVersion, dryRun }: Omit<DeleteRequest, 'kind' | 'id'>): Value {
  if (!uid || !resourceVersion)
    throw new RangeError('a delete needs the uid and the resourceVersion of the object that was read');
  return {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    preconditions: { uid, resourceVersion },
    // The object itself is deleted at once, and its dependents later by the garbage collector.
    propagationPolicy: 'Background',
    ...(dryRun ? { dryRun: ['All'] } : {}),
  };
}

/**
 * A delete is answered with a Status once the object is removed, and with the object while a finalizer or its grace
 * period holds it. An answer that cannot be read counts as the latter.
 */
function deleteOutcome(answer: HttpAnswer): 'gone' | 'held' {
  const body = tryParseJson(answer.text);
  const isStatus = stringAt(body, 'kind') === 'Status' && stringAt(body, 'apiVersion') === 'v1';
  return isStatus ? 'gone' : 'held';
}

function readWritten(answer: HttpAnswer, kind: KindInfo): WriteAnswer {
  const object = readLiveObject(kind, answer.text);
  if (!object) return { ok: false, refusal: unreadable(answer) };
  const warnings = readWarnings(answer.headers['warning'], kind);
  return { ok: true, object, isCreated: answer.status === 201, warnings };
}

function configData(body: Value | undefined): ReadonlyMap<string, Buffer> {
  const texts = Object.entries(mapAt(body, 'data'));
  const plain = texts.map(([key, value]) => [key, Buffer.from(typeof value === 'string' ? value : '')] as const);
  return new Map([...plain, ...decodeData(body, 'binaryData')]);
}

function labelsOf(body: Value | undefined): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(mapAt(body, 'metadata', 'labels')).map(([name, value]) => [name, String(value)]),
  );
}

function decodeData(body: Value | undefined, field: 'data' | 'binaryData'): ReadonlyMap<string, Buffer> {
  const entries = Object.entries(mapAt(body, field));
  return new Map(entries.map(([key, value]) => [key, Buffer.from(typeof value === 'string' ? value : '', 'base64')]));
}

/**
 * Keys that the Secret lacks are left out. If it changed after it was read, the resourceVersion in the body makes the
 * API server refuse the write.
 */
function withLiveData(body: KubeObject, keys: readonly string[], values: ReadonlyMap<string, Buffer>): KubeObject {
  const data = newMap(Object.entries(mapAt(body, 'data')));
  for (const key of keys) {
    const value = values.get(key);
    if (value) data[key] = value.toString('base64');
  }
  return { ...body, data };
}

function nameOf(kind: KindInfo, body: KubeObject): { namespace: string; name: string } {
  const namespace = kind.isNamespaced ? (stringAt(body.metadata, 'namespace') ?? '') : '';
  return { namespace, name: stringAt(body.metadata, 'name') ?? '' };
}

/**
 * A body that no existing object accepts: the API server compares resourceVersions only where the object exists, and
 * none has the first version of etcd.
 */
function atNoVersion(body: KubeObject): KubeObject {
  return { ...body, metadata: { ...body.metadata, resourceVersion: '1' } };
}

function underOtherName(body: KubeObject): KubeObject {
  const metadata: ValueMap = { ...body.metadata, name: `tautline-dry-run-${randomBytes(5).toString('hex')}` };
  delete metadata['uid'];
  delete metadata['resourceVersion'];
  return { ...body, metadata };
}

function unsendable(error: unknown): Refusal {
  const message = error instanceof RangeError ? error.message : 'the request cannot be built';
  return { code: 'InvalidManifest', status: 0, message, retry: 'never' };
}

function unreadable(answer: HttpAnswer): Refusal {
  const message =
    'the API server answered with something that is not a Kubernetes object; check for a proxy in between';
  return { code: 'Unavailable', status: answer.status, message, retry: 'backoff' };
}
