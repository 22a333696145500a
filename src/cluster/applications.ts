/**
 * The Applications: one watch over all of them, and the agent's writes to their status and metadata, each with a field
 * manager of its own.
 *
 * Invariant: every write names uid and resourceVersion where they are known, so it never creates an Application again
 * and never overwrites a change that was made in between.
 */
import { APPLICATION_GROUP, APPLICATION_KIND } from '../object/applyset.ts';
import { stringifyJson } from '../object/json.ts';
import {
  isKubeObject,
  isMap,
  listAt,
  own,
  stringAt,
  type KubeObject,
  type Value,
  type ValueMap,
} from '../object/value.ts';
import { agentIdentity } from './identity.ts';
import type { KindInfo } from './kinds.ts';
import { asObjectOf, tryParseJson } from './live-object.ts';
import { objectKey } from './live/live-objects.ts';
import { objectPath, query } from './requests/paths.ts';
import { refusalOf } from './requests/refusal.ts';
import type { ApplicationAnswer, ApplicationClient, ApplicationHandlers } from './ports.ts';
import type { HttpRequest } from './transport/transport.ts';
import { startWatch, type Watch } from './watches/watch.ts';
import type { WatchOptions, WatchSink } from './watches/watch-state.ts';
import { writeYamlSafeJson } from './requests/yaml-safe-json.ts';

export const applicationKind: KindInfo = {
  group: APPLICATION_GROUP,
  version: 'v1alpha1',
  kind: APPLICATION_KIND,
  plural: 'applications',
  isNamespaced: true,
  hasStatus: true,
  isWatchable: true,
};

const STATUS_MANAGER = 'tautline-status';
const METADATA_MANAGER = 'tautline-applyset';

export type ApplicationOptions = Pick<WatchOptions, 'transport' | 'limits' | 'clock' | 'chance' | 'log' | 'metrics'> & {
  /** Watch the Applications of this namespace only, as far as the agent's rights reach. Default: all namespaces. */
  readonly namespace?: string;
};

export interface OwnedApplicationClient extends ApplicationClient {
  close(): void;
}

export function createApplicationClient(options: ApplicationOptions): OwnedApplicationClient {
  const watches: Watch[] = [];

  async function send(
    application: KubeObject,
    request: Pick<HttpRequest, 'verb' | 'method' | 'body' | 'contentType' | 'category'> & { suffix: string },
  ): Promise<ApplicationAnswer> {
    const { suffix, ...rest } = request;
    const path = objectPath(applicationKind, nameOf(application)) + suffix;
    const answer = await options.transport.send({ ...rest, path, identity: agentIdentity });
    const object = answer.status === 200 ? tryParseJson(answer.text) : undefined;
    if (isKubeObject(object)) return { ok: true, object };
    return { ok: false, refusal: refusalOf(answer, rest.verb, applicationKind) };
  }

  return {
    watch(handlers) {
      const { promise, resolve } = Promise.withResolvers<void>();
      watches.push(
        startWatch({
          ...options,
          identity: agentIdentity,
          kind: applicationKind,
          namespace: options.namespace ?? '',
          sink: createSink(handlers, resolve),
        }),
      );
      return promise;
    },
    read: (application) => send(application, { verb: 'get', method: 'GET', category: 'status', suffix: '' }),
    putStatus(application, status) {
      return send(application, {
        verb: 'update',
        method: 'PUT',
        category: 'status',
        suffix: `/status${query({ fieldManager: STATUS_MANAGER })}`,
        contentType: 'application/json',
        body: stringifyJson({ ...guarded(application, {}), status }),
      });
    },
    applyMetadata(application, { finalizers, labels, annotations }) {
      const metadata: ValueMap = { labels, annotations };
      // An empty list would stay owned by this manager; a list that is left out is given up.
      if (finalizers.length > 0) metadata['finalizers'] = finalizers;
      return send(application, {
        verb: 'apply',
        method: 'PATCH',
        category: 'status',
        suffix: query({ fieldManager: METADATA_MANAGER, force: true }),
        contentType: 'application/apply-patch+yaml',
        body: writeYamlSafeJson(guarded(application, metadata)),
      });
    },
    removeFinalizer(application, finalizer) {
      const remaining = listAt(application.metadata, 'finalizers').filter((name) => name !== finalizer);
      return send(application, {
        verb: 'patch',
        method: 'PATCH',
        category: 'status',
        suffix: query({ fieldManager: METADATA_MANAGER }),
        contentType: 'application/merge-patch+json',
        body: stringifyJson(guarded(application, { finalizers: remaining.length > 0 ? remaining : null })),
      });
    },
    close() {
      for (const watch of watches.splice(0)) watch.stop();
    },
  };
}

function nameOf(application: KubeObject): { namespace: string; name: string } {
  return {
    namespace: stringAt(application.metadata, 'namespace') ?? '',
    name: stringAt(application.metadata, 'name') ?? '',
  };
}

/** Metadata with the guards that limit a write to this Application in the version that was read. */
function guarded(application: KubeObject, metadata: ValueMap): KubeObject {
  const guards: ValueMap = {};
  for (const key of ['name', 'namespace', 'uid', 'resourceVersion']) {
    const value = own(application.metadata, key);
    if (typeof value === 'string') guards[key] = value;
  }
  return {
    apiVersion: `${applicationKind.group}/${applicationKind.version}`,
    kind: applicationKind.kind,
    metadata: { ...metadata, ...guards },
  };
}

/**
 * Turns the watch's lists and events into upserts and deletions. It keeps only the guards of each Application, from
 * which `complete` and `upsert` recognise a deletion.
 */
function createSink(handlers: ApplicationHandlers, onListed: () => void): WatchSink {
  const known = new Map<string, KubeObject>();
  let seen: Set<string> | undefined;
  return {
    begin() {
      seen = new Set();
    },
    upsert(value: Value) {
      const application = asObjectOf(applicationKind, value);
      if (!application) return;
      const key = objectKey(nameOf(application));
      seen?.add(key);
      const before = known.get(key);
      const isSame =
        before !== undefined &&
        stringAt(before.metadata, 'resourceVersion') === stringAt(application.metadata, 'resourceVersion');
      if (isSame) return;
      // Deleted and created again while the watch was interrupted: it is another Application.
      if (before && uidOf(before) !== uidOf(application)) handlers.onDelete(before);
      known.set(key, guarded(application, {}));
      handlers.onUpsert(application, seen !== undefined);
    },
    deleted(value: Value) {
      const application = isMap(value) ? asObjectOf(applicationKind, value) : undefined;
      if (!application) return;
      const key = objectKey(nameOf(application));
      seen?.delete(key);
      if (known.delete(key)) handlers.onDelete(application);
    },
    complete() {
      for (const [key, application] of known) {
        if (seen?.has(key) !== false) continue;
        known.delete(key);
        handlers.onDelete(application);
      }
      seen = undefined;
      onListed();
    },
    opened() {},
    failed: (refusal) => handlers.onFailed?.(refusal),
  };
}

function uidOf(application: KubeObject): string | undefined {
  return stringAt(application.metadata, 'uid');
}
