/**
 * Reads and writes of objects with the rights of one identity.
 *
 * Invariant: nothing here throws for an answer; a path that would name something else than the object is refused before
 * it is sent; a delete always carries uid and resourceVersion.
 */
import { randomBytes } from 'node:crypto';
import { FIELD_MANAGER, OWNER_ANNOTATION, PART_OF_LABEL } from '../object/applyset.ts';
import { stringifyJson } from '../object/json.ts';
import { listAt, mapAt, newMap, stringAt, type KubeObject, type Value, type ValueMap } from '../object/value.ts';
import { isStatusBody, readWarnings } from './answer-text.ts';
import { readAnswer, type Refusal } from './answers.ts';
import { identityHeaders, type Identity } from './identity.ts';
import type { KindInfo } from './kinds.ts';
import type { LiveObject } from './live.ts';
import { toLiveObject, tryParseJson } from './live-object.ts';
import { takeOverManagedFields } from './managed-fields.ts';
import { collectionPath, objectPath, query } from './paths.ts';
import type {
  ApplyRequest,
  ClusterClient,
  DeleteAnswer,
  DeleteRequest,
  ReadAnswer,
  SecretAnswer,
  WriteAnswer,
} from './ports.ts';
import { retryAfterMs, type HttpAnswer, type HttpRequest, type Transport } from './transport.ts';
import { writeYamlSafeJson } from './yaml-safe-json.ts';

const JSON_TYPE = 'application/json';
const APPLY = 'application/apply-patch+yaml';
const JSON_PATCH = 'application/json-patch+json';
const MERGE_PATCH = 'application/merge-patch+json';

/** Core kinds are served everywhere: no discovery is needed to name this one. */
const SECRET_KIND: KindInfo = {
  group: '',
  version: 'v1',
  kind: 'Secret',
  plural: 'secrets',
  namespaced: true,
  hasStatus: false,
  watchable: true,
};

/** One request about a kind: what is left to say once the client knows its identity. */
interface Call extends Pick<HttpRequest, 'verb' | 'method' | 'body' | 'contentType' | 'gzip'> {
  readonly kind: KindInfo;
  /** Throws RangeError for a name that would lead elsewhere. */
  readonly path: () => string;
}

/** Throws RangeError for a malformed identity: no request may ever be made in doubt about whose it is. */
export function createClient(transport: Transport, identity: Identity): ClusterClient {
  identityHeaders(identity);
  const call = (request: Call): Promise<Reply> => send(transport, identity, request);
  const reads = createReads(call);
  return { ...reads, ...createWrites(call, reads) };
}

type Reads = Pick<ClusterClient, 'get' | 'readSecret' | 'listBySelector'>;

function createReads(call: (request: Call) => Promise<Reply>): Reads {
  return {
    async get(kind, id): Promise<ReadAnswer> {
      const reply = await call({ kind, verb: 'get', method: 'GET', path: () => objectPath(kind, id) });
      if (!reply.ok) return reply.refusal.code === 'NotFound' ? { ok: true, object: undefined } : reply;
      const object = toLiveObject(kind, tryParseJson(reply.answer.text));
      return object ? { ok: true, object } : { ok: false, refusal: unreadable(reply.answer) };
    },

    async readSecret(namespace, name): Promise<SecretAnswer> {
      const reply = await call({
        kind: SECRET_KIND,
        verb: 'get',
        method: 'GET',
        path: () => objectPath(SECRET_KIND, { namespace, name }),
      });
      if (!reply.ok) return reply.refusal.code === 'NotFound' ? { ok: true, data: undefined } : reply;
      const body = tryParseJson(reply.answer.text);
      if (stringAt(body, 'kind') !== 'Secret') return { ok: false, refusal: unreadable(reply.answer) };
      return { ok: true, data: decodeData(body) };
    },

    async listBySelector(kind, { namespace, labelSelector, limit }) {
      const reply = await call({
        kind,
        verb: 'list',
        method: 'GET',
        path: () => collectionPath(kind, namespace) + query({ labelSelector, limit }),
        gzip: true,
      });
      if (!reply.ok) return reply;
      const items = listAt(tryParseJson(reply.answer.text), 'items');
      const objects = items.map((item) => toLiveObject(kind, item)).filter((object) => object !== undefined);
      return { ok: true, objects: objects.slice(0, limit) };
    },
  };
}

/** All of them in one place, so that the headers and parameters of all writes can be compared at a glance. */
function createWrites(call: (request: Call) => Promise<Reply>, reads: Reads): Omit<ClusterClient, keyof Reads> {
  async function write(request: Call): Promise<WriteAnswer> {
    const reply = await call(request);
    return reply.ok ? written(reply.answer, request.kind) : reply;
  }

  return {
    async apply({ kind, body, force, dryRun, fieldManager = FIELD_MANAGER, liveSecretKeys = [] }: ApplyRequest) {
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

    takeOver(kind, live) {
      const time = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
      const managedFields = takeOverManagedFields(live.body, time);
      if (!managedFields) return Promise.resolve({ ok: true, object: live, created: false, warnings: [] });
      const patch: Value = [
        { op: 'test', path: '/metadata/uid', value: live.uid },
        { op: 'replace', path: '/metadata/managedFields', value: managedFields },
        { op: 'replace', path: '/metadata/resourceVersion', value: live.resourceVersion },
      ];
      return write(patchOf(kind, live, { patch, contentType: JSON_PATCH }));
    },

    release(kind, live) {
      const patch: Value = {
        metadata: {
          uid: live.uid,
          labels: { [PART_OF_LABEL]: null },
          annotations: { [OWNER_ANNOTATION]: null },
        },
      };
      return write(patchOf(kind, live, { patch, contentType: MERGE_PATCH }));
    },

    async isImmutable(kind, body) {
      const namespace = stringAt(body.metadata, 'namespace') ?? '';
      const reply = await call({
        kind,
        verb: 'create',
        method: 'POST',
        path: () => collectionPath(kind, namespace) + query({ dryRun: 'All', fieldManager: FIELD_MANAGER }),
        body: stringifyJson(underOtherName(body)),
        contentType: JSON_TYPE,
      });
      return reply.ok;
    },

    async remove(request): Promise<DeleteAnswer> {
      const { kind, id } = request;
      const reply = await call({
        kind,
        verb: 'delete',
        method: 'DELETE',
        path: () => objectPath(kind, id),
        body: stringifyJson(deleteOptions(request)),
        contentType: JSON_TYPE,
      });
      if (reply.ok) return { ok: true, outcome: deleteOutcome(reply.answer) };
      const isGone = reply.refusal.code === 'NotFound' || reply.refusal.code === 'KindNotServed';
      return isGone ? { ok: true, outcome: 'gone' } : reply;
    },
  };
}

type Reply = { readonly ok: true; readonly answer: HttpAnswer } | { readonly ok: false; readonly refusal: Refusal };

async function send(transport: Transport, identity: Identity, { kind, path, ...rest }: Call): Promise<Reply> {
  let target: string;
  try {
    target = path();
  } catch (error) {
    return { ok: false, refusal: unsendable(error) };
  }
  const answer = await transport.send({ ...rest, path: target, identity, category: 'object' });
  if (answer.status >= 200 && answer.status < 300) return { ok: true, answer };
  return { ok: false, refusal: refusalOf(answer, rest.verb, kind) };
}

function patchOf(
  kind: KindInfo,
  { id }: LiveObject,
  { patch, contentType }: { readonly patch: Value; readonly contentType: string },
): Call {
  return {
    kind,
    verb: 'patch',
    method: 'PATCH',
    path: () => objectPath(kind, id) + query({ fieldManager: FIELD_MANAGER }),
    body: stringifyJson(patch),
    contentType,
  };
}

export function refusalOf(answer: HttpAnswer, verb: string, kind: Pick<KindInfo, 'group' | 'kind'>): Refusal {
  const asked = { verb, group: kind.group, kind: kind.kind };
  return readAnswer({ ...answer, retryAfterMs: retryAfterMs(answer.headers) }, asked);
}

/**
 * The body of a delete. The API server takes a missing precondition for none and deletes whatever has the name, so this
 * is the one place that builds it, and blanks throw RangeError.
 */
export function deleteOptions({ uid, resourceVersion, dryRun }: Omit<DeleteRequest, 'kind' | 'id'>): Value {
  if (!uid || !resourceVersion) throw new RangeError('a delete needs the uid and the resourceVersion it is meant for');
  return {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    preconditions: { uid, resourceVersion },
    // The object itself is deleted at once, and its dependents later by the garbage collector.
    propagationPolicy: 'Background',
    ...(dryRun ? { dryRun: ['All'] } : {}),
  };
}

/** A Status means removed; the object itself that something still holds it, and so does anything we cannot read. */
function deleteOutcome(answer: HttpAnswer): 'gone' | 'held' {
  return isStatusBody(tryParseJson(answer.text) ?? null) ? 'gone' : 'held';
}

function written(answer: HttpAnswer, kind: KindInfo): WriteAnswer {
  const object = toLiveObject(kind, tryParseJson(answer.text));
  if (!object) return { ok: false, refusal: unreadable(answer) };
  const warnings = readWarnings(answer.headers['warning']);
  // Warnings of admission may quote values, so the text of a warning about a Secret is not passed on.
  const isHidden = warnings.length > 0 && kind.group === '' && kind.kind === SECRET_KIND.kind;
  return { ok: true, object, created: answer.status === 201, warnings: isHidden ? [HIDDEN_WARNING] : warnings };
}

const HIDDEN_WARNING = 'the API server warned about this Secret; the text is not shown, since it may quote values';

function decodeData(secret: Value | undefined): ReadonlyMap<string, Buffer> {
  const entries = Object.entries(mapAt(secret, 'data'));
  return new Map(entries.map(([key, value]) => [key, Buffer.from(typeof value === 'string' ? value : '', 'base64')]));
}

/** What the Secret lacks stays left out; that it has changed since is for the body's resourceVersion to find out. */
function withLiveData(body: KubeObject, keys: readonly string[], values: ReadonlyMap<string, Buffer>): KubeObject {
  const data = newMap(Object.entries(mapAt(body, 'data')));
  for (const key of keys) {
    const value = values.get(key);
    if (value) data[key] = value.toString('base64');
  }
  return { ...body, data };
}

function nameOf(kind: KindInfo, body: KubeObject): { namespace: string; name: string } {
  const namespace = kind.namespaced ? (stringAt(body.metadata, 'namespace') ?? '') : '';
  return { namespace, name: stringAt(body.metadata, 'name') ?? '' };
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
  const message = 'the API server answered with something that is no object; is there a proxy in between?';
  return { code: 'Unavailable', status: answer.status, message, retry: 'backoff' };
}
