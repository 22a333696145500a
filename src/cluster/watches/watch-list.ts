/**
 * The list requests of a watch: all objects in pages, and a check of the resourceVersion that the server has reached.
 *
 * Invariant: a list is one consistent state of the cluster, or a refusal. Therefore an expired page token starts the
 * list over; the token that the server offers instead would mix two states, and is not used. `resourceVersion=0` is
 * never sent, since the server then ignores `limit`.
 */
import { listAt, stringAt, type Value } from '../../object/value.ts';
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
  readonly limits: Pick<ClusterLimits, 'listPageSize'>;
  readonly identity: Identity;
  readonly kind: KindInfo;
  readonly namespace: string;
  readonly labelSelector?: string;
}

type ListEnd =
  { readonly ok: true; readonly resourceVersion: string } | { readonly ok: false; readonly refusal: Refusal };

/** How often a list is begun whose page tokens expire. */
const MAX_STARTS = 3;

/** Hands on every item as sent. If the list had to start over, items may come twice. */
export async function listAll(target: ListTarget, onItem: (item: Value) => void): Promise<ListEnd> {
  let starts = 1;
  for (let token = ''; ;) {
    const answer = await listPage(target, { limit: target.limits.listPageSize, continue: token || undefined });
    if (answer.status === 410 && token !== '' && starts < MAX_STARTS) {
      starts++;
      token = '';
      continue;
    }
    const page = answer.status === 200 ? tryParseJson(answer.text) : undefined;
    const resourceVersion = stringAt(page, 'metadata', 'resourceVersion');
    if (resourceVersion === undefined) return { ok: false, refusal: refusalOf(answer, 'list', target.kind) };
    for (const item of listAt(page, 'items')) onItem(item);
    token = stringAt(page, 'metadata', 'continue') ?? '';
    if (token === '') return { ok: true, resourceVersion };
  }
}

/**
 * Whether the server has reached a known resourceVersion. After a restore of etcd from a backup it may not have, and a
 * watch from that version would stay open and silent for ever.
 */
export async function checkRevision(
  target: ListTarget,
  resourceVersion: string,
): Promise<{ readonly ok: true; readonly isReached: boolean } | { readonly ok: false; readonly refusal: Refusal }> {
  const answer = await listPage(target, { limit: 1 });
  const current =
    answer.status === 200 ? stringAt(tryParseJson(answer.text), 'metadata', 'resourceVersion') : undefined;
  if (current === undefined) return { ok: false, refusal: refusalOf(answer, 'list', target.kind) };
  const order = compareResourceVersions(current, resourceVersion);
  return { ok: true, isReached: order !== undefined && order >= 0 };
}

function listPage(
  { transport, identity, kind, namespace, labelSelector }: ListTarget,
  parameters: { readonly limit: number; readonly continue?: string | undefined },
): Promise<HttpAnswer> {
  return transport.send({
    verb: 'list',
    method: 'GET',
    path: collectionPath(kind, namespace) + query({ labelSelector, ...parameters }),
    identity,
    category: 'watch',
    acceptsGzip: true,
  });
}
