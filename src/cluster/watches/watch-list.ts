/**
 * The list requests of a watch: all objects in pages, and a check of the resourceVersion that the server has reached.
 *
 * Invariant: a list is one consistent state of the cluster, or a refusal. Therefore an expired page token starts the
 * list over; the token that the server offers instead would mix two states, and is not used. `resourceVersion=0` is
 * never sent, since the server then ignores `limit`. A page that is larger than the bound on answers is asked for in
 * smaller pages. A single object that is larger is named in the log and left out, so that it is read by name.
 */
import { listAt, stringAt, type Value } from '../../object/value.ts';
import type { Log } from '../../telemetry/ports.ts';
import type { Refusal } from '../answers.ts';
import type { Identity } from '../identity.ts';
import type { KindInfo } from '../kinds.ts';
import type { ClusterLimits } from '../limits.ts';
import { tryParseJson } from '../live-object.ts';
import { compareResourceVersions } from '../resource-version.ts';
import { collectionPath, query } from '../requests/paths.ts';
import { refusalOf } from '../requests/refusal.ts';
import type { HttpAnswer, Transport } from '../transport/transport.ts';

export interface ListTarget {
  readonly transport: Pick<Transport, 'send'>;
  readonly limits: Pick<ClusterLimits, 'listPageSize' | 'maxResponseBytes'>;
  readonly log: Pick<Log, 'warn'>;
  readonly identity: Identity;
  readonly kind: KindInfo;
  readonly namespace: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

type ListEnd =
  { readonly ok: true; readonly resourceVersion: string } | { readonly ok: false; readonly refusal: Refusal };

/** How often a list is begun whose page tokens expire. */
const MAX_STARTS = 3;

/** The objects without their content, as far as the server can do that. */
const METADATA_ONLY = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json';

/** The answers say where a list is to go on: at a token, with so many objects in the next page. */
interface Place {
  readonly token: string;
  readonly limit: number;
}

/** Hands on every item as sent. If the list had to start over, items may come twice. */
export async function listAll(target: ListTarget, onItem: (item: Value) => void): Promise<ListEnd> {
  const { limits } = target;
  let starts = 1;
  for (let place: Place = { token: '', limit: limits.listPageSize }; ;) {
    const { token, limit } = place;
    const answer = await listPage(target, place);
    if (answer.status === 410 && token !== '' && starts < MAX_STARTS) {
      starts++;
      place = { token: '', limit };
      continue;
    }
    if (isTooLarge(answer) && limit > 1) {
      place = { token, limit: Math.floor(limit / 2) };
      continue;
    }
    const page = isTooLarge(answer) ? await skipObject(target, token) : readPage(answer);
    const resourceVersion = stringAt(page, 'metadata', 'resourceVersion');
    if (resourceVersion === undefined) return { ok: false, refusal: refusalOf(answer, 'list', target.kind) };
    if (!isTooLarge(answer)) for (const item of listAt(page, 'items')) onItem(item);
    const next = stringAt(page, 'metadata', 'continue') ?? '';
    if (next === '') return { ok: true, resourceVersion };
    const mayGrow = answer.text.length < limits.maxResponseBytes / 4;
    place = { token: next, limit: mayGrow ? Math.min(limits.listPageSize, limit * 2) : limit };
  }
}

/** Larger than our own bound on answers, or than the bound of the server on messages. */
function isTooLarge({ status, text, isTooLarge: isBeyondBound }: HttpAnswer): boolean {
  return isBeyondBound === true || (status >= 500 && /larger than max/.test(text));
}

function readPage({ status, text }: HttpAnswer): Value | undefined {
  return status === 200 ? tryParseJson(text) : undefined;
}

/** The page of one object without its content: it names the object, and tells where the list goes on. */
async function skipObject(target: ListTarget, token: string): Promise<Value | undefined> {
  const page = readPage(await listPage(target, { token, limit: 1, accept: METADATA_ONLY }));
  for (const item of listAt(page, 'items')) {
    const namespace = stringAt(item, 'metadata', 'namespace') ?? '';
    const name = stringAt(item, 'metadata', 'name');
    target.log.warn('an object is larger than the bound on answers', { kind: target.kind.kind, namespace, name });
  }
  return page;
}

/**
 * Whether the server has reached a known resourceVersion. After a restore of etcd from a backup it may not have, and a
 * watch from that version would stay open and silent for ever.
 */
export async function checkRevision(
  target: ListTarget,
  resourceVersion: string,
): Promise<{ readonly ok: true; readonly isReached: boolean } | { readonly ok: false; readonly refusal: Refusal }> {
  const answer = await listPage(target, { token: '', limit: 1, accept: METADATA_ONLY });
  const current = stringAt(readPage(answer), 'metadata', 'resourceVersion');
  if (current === undefined) return { ok: false, refusal: refusalOf(answer, 'list', target.kind) };
  const order = compareResourceVersions(current, resourceVersion);
  return { ok: true, isReached: order !== undefined && order >= 0 };
}

function listPage(
  { transport, identity, kind, namespace, labelSelector, fieldSelector }: ListTarget,
  { token, limit, accept }: Place & { readonly accept?: string },
): Promise<HttpAnswer> {
  return transport.send({
    verb: 'list',
    method: 'GET',
    path:
      collectionPath(kind, namespace) + query({ labelSelector, fieldSelector, limit, continue: token || undefined }),
    identity,
    category: 'watch',
    acceptsGzip: true,
    ...(accept === undefined ? {} : { accept }),
  });
}
