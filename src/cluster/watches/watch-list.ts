/**
 * The lists that belong to a watch: all objects in pages, and a look at how far the server is.
 *
 * Invariant: a list is one consistent state of the cluster or a refusal. So a page token that has expired starts the
 * list over, and the token that the server offers in its place, which would mix two states, isn't used; and
 * `resourceVersion=0`, for which the server ignores `limit`, is never sent.
 */
import { listAt, stringAt, type Value } from '../../object/value.ts';
import type { Refusal } from '../answers.ts';
import type { Identity } from '../identity.ts';
import type { KindInfo } from '../kinds.ts';
import type { ClusterLimits } from '../limits.ts';
import { compareResourceVersions, tryParseJson } from '../live-object.ts';
import { collectionPath, query } from '../requests/paths.ts';
import { refusalOf } from '../requests/requests.ts';
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

const MAX_STARTS = 3;

/** Hands on every item as sent; items of a list that had to start over may come twice. */
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
 * Whether the server has reached a resourceVersion that we hold. After etcd was restored from a backup it has not, and
 * a watch from there would stay open and silent for ever.
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
    gzip: true,
  });
}
