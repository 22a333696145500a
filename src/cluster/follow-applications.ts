/**
 * The Applications of a namespace as they change, for the command line: a list, then a watch, and a list again whenever
 * the watch ends. Invariant: a version of an Application is handed on once. `watchApplications` is the only reader of
 * such watches.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { idOf } from '../object/identity.ts';
import { isMap, stringAt, valueAt, type KubeObject } from '../object/value.ts';
import { applicationKind } from './applications.ts';
import { agentIdentity } from './identity.ts';
import { asObjectOf, tryParseJson } from './live-object.ts';
import { objectKey } from './live/live-objects.ts';
import { collectionPath, query } from './requests/paths.ts';
import { readLines } from './transport/line-reader.ts';
import type { Transport } from './transport/transport.ts';
import type { Refused } from './ports.ts';

export interface ApplicationSelection {
  /** Empty: all namespaces. */
  readonly namespace: string;
  /** As kubectl takes it; empty: all. */
  readonly labelSelector: string;
  /** Called with each Application that is gone or no longer selected. */
  readonly onGone?: (application: KubeObject) => void;
}

/** A complete list, with the resourceVersion from which a watch goes on. */
export type ApplicationList =
  { readonly ok: true; readonly value: readonly KubeObject[]; readonly resourceVersion: string } | Refused;

export interface FollowAllOptions extends ApplicationSelection {
  readonly transport: Pick<Transport, 'openStream'>;
  readonly list: () => Promise<ApplicationList>;
  readonly maxLineBytes: number;
  readonly signal: AbortSignal;
  /** Pause before a list after a watch has ended. */
  readonly retryMs: number;
}

export type FollowedList = readonly KubeObject[] | Refused;

/** The duration of one watch request. It bounds how long a dead connection stays unnoticed. */
const WATCH_SECONDS = 60;
/** The API server should have ended the watch by then. */
const WATCH_GRACE_SECONDS = 10;

/** Yields all Applications first, then those that changed. Ends with a refusal that no retry would change. */
export async function* followApplications(options: FollowAllOptions): AsyncGenerator<FollowedList> {
  const { transport, list, namespace, labelSelector, maxLineBytes, signal, retryMs, onGone } = options;
  const known = new Map<string, string>();
  const present = new Map<string, KubeObject>();
  const forget = (key: string): void => {
    const gone = present.get(key);
    present.delete(key);
    if (gone && known.delete(key)) onGone?.(gone);
  };
  for (let isFirst = true; !signal.aborted; isFirst = false) {
    const answer = await list();
    if (!answer.ok && answer.refusal.retry === 'never') return yield answer;
    if (answer.ok) {
      const listed = new Map(answer.value.map((application) => [objectKey(idOf(application)), application]));
      for (const key of [...present.keys()]) if (!listed.has(key)) forget(key);
      for (const [key, application] of listed) present.set(key, application);
      const news = answer.value.filter((application) => isNews(known, application));
      if (isFirst || news.length > 0) yield news;
      const { resourceVersion } = answer;
      const selector = { labelSelector };
      const events = watchApplications({ transport, namespace, selector, resourceVersion, maxLineBytes, signal });
      for await (const { application, isDeleted } of events) {
        const key = objectKey(idOf(application));
        present.set(key, application);
        if (isNews(known, application)) yield [application];
        if (isDeleted) forget(key);
      }
    }
    await sleep(retryMs, undefined, { signal }).catch(() => undefined);
  }
}

function isNews(known: Map<string, string>, application: KubeObject): boolean {
  const key = objectKey(idOf(application));
  const version = stringAt(application.metadata, 'resourceVersion') ?? '';
  if (known.get(key) === version) return false;
  known.set(key, version);
  return true;
}

export interface WatchOptions {
  readonly transport: Pick<Transport, 'openStream'>;
  /** Empty: all namespaces. */
  readonly namespace: string;
  readonly selector: { readonly labelSelector: string } | { readonly fieldSelector: string };
  /** The watch begins after this version. */
  readonly resourceVersion: string;
  readonly maxLineBytes: number;
  readonly signal: AbortSignal;
}

export interface ApplicationEvent {
  readonly isDeleted: boolean;
  readonly application: KubeObject;
}

/** Yields the events of one watch to its end. After that, for any reason, the caller reads the Applications again. */
export async function* watchApplications(options: WatchOptions): AsyncGenerator<ApplicationEvent> {
  const { transport, namespace, selector, resourceVersion, maxLineBytes, signal } = options;
  const parameters = { watch: 1, ...selector, resourceVersion, timeoutSeconds: WATCH_SECONDS };
  const path = collectionPath(applicationKind, namespace) + query(parameters);
  const either = AbortSignal.any([signal, AbortSignal.timeout((WATCH_SECONDS + WATCH_GRACE_SECONDS) * 1000)]);
  try {
    const stream = await transport.openStream(
      { verb: 'watch', method: 'GET', path, identity: agentIdentity, category: 'watch' },
      either,
    );
    for await (const line of readLines(stream.chunks, maxLineBytes)) {
      const event = tryParseJson(line);
      const object = valueAt(event, 'object');
      const type = stringAt(event, 'type') ?? '';
      if (stream.status !== 200 || !isMap(object) || !EVENT_TYPES.has(type)) return;
      const application = asObjectOf(applicationKind, object);
      if (application) yield { isDeleted: type === 'DELETED', application };
    }
  } catch {
    // Cut, refused or timed out: the read that follows shows which.
  }
}

/** Any other type, such as ERROR, ends the watch. */
const EVENT_TYPES: ReadonlySet<string> = new Set(['ADDED', 'MODIFIED', 'DELETED']);
