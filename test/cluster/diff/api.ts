/**
 * Requests of the differential test.
 *
 * Invariant: no code of src/cluster is used, so that diff/ is compared with the server itself; bodies keep large
 * integers.
 */
import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import type { KindInfo, Kinds } from '../../../src/cluster/kinds.ts';
import { kindKey } from '../../../src/cluster/kinds.ts';
import type { LiveObject } from '../../../src/cluster/live.ts';
import { apiVersionOf, groupOf, idOf, type ObjectId } from '../../../src/object/identity.ts';
import { parseJson, stringifyJson } from '../../../src/object/json.ts';
import { redactLive } from '../../../src/object/redact.ts';
import { isMap, listAt, stringAt, valueAt, type KubeObject, type Value } from '../../../src/object/value.ts';
import type { ControlPlane } from '../../control-plane/control-plane.ts';

export interface Answer {
  readonly code: number;
  readonly body: Value;
}

export interface Api extends AsyncDisposable {
  send(method: string, path: string, options?: { body?: Value; type?: string }): Promise<Answer>;
  close(): void;
}

export async function connect(plane: ControlPlane): Promise<Api> {
  const ca = await readFile(plane.caFile);
  const agent = new Agent({ keepAlive: true, ca, maxSockets: 4 });
  const sendOnce: Api['send'] = (method, path, { body, type = 'application/json' } = {}) =>
    new Promise((resolve, reject) => {
      const payload = body === undefined ? undefined : Buffer.from(stringifyJson(body));
      const headers = {
        authorization: `Bearer ${plane.adminToken}`,
        ...(payload ? { 'content-type': type, 'content-length': payload.length } : {}),
      };
      const outgoing = request(new URL(path, plane.url), { method, agent, headers }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () =>
          resolve({ code: answer.statusCode ?? 0, body: parse(Buffer.concat(chunks).toString()) }),
        );
      });
      outgoing.on('error', reject);
      outgoing.end(payload);
    });
  const send: Api['send'] = async (...request) => {
    try {
      return await sendOnce(...request);
    } catch (error) {
      if (!isReset(error)) throw error;
    }
    // The server closed an idle connection, or it panicked over the request, which then counts as refused.
    try {
      return await sendOnce(...request);
    } catch (error) {
      if (!isReset(error)) throw error;
      return { code: NO_ANSWER, body: 'the server closed the connection' };
    }
  };
  return { send, close: () => agent.destroy(), [Symbol.asyncDispose]: async () => agent.destroy() };
}

/** Used in place of a status code. */
const NO_ANSWER = 599;

function isReset(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ECONNRESET';
}

export function pathOf(kind: KindInfo, { namespace, name }: Pick<ObjectId, 'namespace' | 'name'>): string {
  const root = kind.group ? `/apis/${kind.group}/${kind.version}` : `/api/${kind.version}`;
  return `${root}${namespace ? `/namespaces/${namespace}` : ''}/${kind.plural}${name ? `/${name}` : ''}`;
}

export interface ApplyOptions {
  readonly manager?: string;
  readonly dryRun?: boolean;
}

/** Sends a server-side apply with force. */
export function apply(
  api: Api,
  target: { kind: KindInfo; id: ObjectId },
  body: KubeObject,
  { manager = 'tautline', dryRun = false }: ApplyOptions = {},
): Promise<Answer> {
  const query = `fieldManager=${manager}&force=true${dryRun ? '&dryRun=All' : ''}`;
  return api.send('PATCH', `${pathOf(target.kind, target.id)}?${query}`, {
    body,
    type: 'application/apply-patch+yaml',
  });
}

/** The object as src/cluster returns it, with Secret values as digests. Throws if the answer is not an object. */
export function liveOf(answer: Answer): LiveObject {
  const { body } = answer;
  if (!isMap(body) || answer.code >= 300) throw new Error(`not an object: ${answer.code} ${messageOf(answer)}`);
  const object = redactLive(body as KubeObject);
  const deletionTimestamp = stringAt(object.metadata, 'deletionTimestamp');
  return {
    id: idOf(object),
    apiVersion: object.apiVersion,
    uid: stringAt(object.metadata, 'uid') ?? '',
    resourceVersion: stringAt(object.metadata, 'resourceVersion') ?? '',
    body: object,
    ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
  };
}

export function messageOf(answer: Answer): string {
  return stringAt(answer.body, 'message') ?? stringifyJson(answer.body).slice(0, 300);
}

/** The kinds that the server serves in the versions that the given objects use. */
export async function discover(api: Api, objects: readonly KubeObject[]): Promise<Kinds> {
  const served = new Map<string, KindInfo>();
  for (const apiVersion of new Set(objects.map((object) => object.apiVersion))) {
    const group = groupOf(apiVersion);
    const { body } = await api.send('GET', group ? `/apis/${apiVersion}` : `/api/${apiVersion}`);
    const names = new Set(listAt(body, 'resources').map((resource) => stringAt(resource, 'name') ?? ''));
    for (const resource of listAt(body, 'resources')) {
      const plural = stringAt(resource, 'name') ?? '';
      const kind = stringAt(resource, 'kind') ?? '';
      if (plural.includes('/')) continue;
      const version = apiVersion.slice(apiVersion.indexOf('/') + 1);
      served.set(kindKey(apiVersionOf(group, version), kind), {
        group,
        version,
        kind,
        plural,
        isNamespaced: valueAt(resource, 'namespaced') === true,
        hasStatus: names.has(`${plural}/status`),
        isWatchable: true,
      });
    }
  }
  return { served, stale: new Set(), preferred: new Map() };
}

function parse(text: string): Value {
  try {
    return parseJson(text);
  } catch {
    return text;
  }
}
