/**
 * Requests with the tokens of people and programs that call our own listeners.
 *
 * Invariant: such a request carries the token of the caller and nothing of the agent: neither its token nor its client
 * certificate, which the API server would believe first. Callers have connections of their own, so that they do not use
 * up those of the agent.
 */
import { applicationKind } from './applications.ts';
import { stringifyJson } from '../object/json.ts';
import { isKubeObject, stringAt, type KubeObject, type ValueMap } from '../object/value.ts';
import { agentIdentity } from './identity.ts';
import type { ClusterLimits } from './limits.ts';
import { tryParseJson } from './live-object.ts';
import type { CallerClient } from './ports.ts';
import type { Credentials } from './transport/credentials.ts';
import { createTransport, type Transport, type TransportOptions } from './transport/transport.ts';
import { createClient } from './requests/object-client.ts';
import { objectPath, query } from './requests/paths.ts';
import { readPodLog } from './requests/pod-log.ts';
import { refusalOf } from './requests/refusal.ts';

export interface CallerClients {
  as(token: string): CallerClient;
  close(): Promise<void>;
}

/** Requests of all callers that are under way at once. */
const MAX_REQUESTS = 16;
/** A person waits for the answer. */
const REQUEST_TIMEOUT_MS = 10_000;

export function createCallerClients({ credentials, limits, ...options }: TransportOptions): CallerClients {
  const transport = createTransport({
    ...options,
    credentials: withoutIdentity(credentials),
    limits: callerLimits(limits),
  });
  return {
    as(token) {
      const authorization = `Bearer ${token}`;
      return callerClient((request) => transport.send({ ...request, authorization }));
    },
    close: () => transport.close(),
  };
}

/** The requests of one caller. `send` adds what tells the API server who it is. */
export function callerClient(send: Transport['send']): CallerClient {
  const client = createClient({ send }, agentIdentity);
  return {
    get: (kind, id) => client.get(kind, id),
    listBySelector: (kind, selection) => client.listBySelector(kind, selection),
    readApplication: (name) => client.get(applicationKind, { ...name, ...idOfKind }),
    readLog: (question) => readPodLog({ send }, question),
    async patchApplication(application, patch) {
      const answer = await send({
        verb: 'patch',
        method: 'PATCH',
        path: objectPath(applicationKind, nameOf(application)) + query({ fieldManager: 'tautline-api' }),
        identity: agentIdentity,
        category: 'other',
        contentType: 'application/merge-patch+json',
        body: stringifyJson(guarded(application, patch)),
      });
      const object = answer.status === 200 ? tryParseJson(answer.text) : undefined;
      if (isKubeObject(object)) return { ok: true, object };
      return { ok: false, refusal: refusalOf(answer, 'patch', applicationKind) };
    },
  };
}

const idOfKind = { group: applicationKind.group, kind: applicationKind.kind };

/** The address and the authorities to trust, without the token and the certificate of the agent. */
export function withoutIdentity({ server, tls, namespace }: Credentials): Credentials {
  const { cert: _, key: __, ...trust } = tls;
  return { server, tls: trust, namespace, authorization: () => Promise.resolve(undefined) };
}

function callerLimits(limits: ClusterLimits): ClusterLimits {
  return {
    ...limits,
    maxRequests: MAX_REQUESTS,
    requestTimeoutMs: Math.min(limits.requestTimeoutMs, REQUEST_TIMEOUT_MS),
    maxThrottleRetries: 0,
  };
}

function nameOf({ metadata }: KubeObject): { namespace: string; name: string } {
  return { namespace: stringAt(metadata, 'namespace') ?? '', name: stringAt(metadata, 'name') ?? '' };
}

function guarded({ metadata }: KubeObject, patch: ValueMap): ValueMap {
  const { uid = null, resourceVersion = null } = metadata;
  const wanted = patch['metadata'];
  return { ...patch, metadata: { ...(wanted as ValueMap | undefined), uid, resourceVersion } };
}
