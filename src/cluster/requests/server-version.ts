/**
 * The version of the API server, which charts are rendered for. It changes with an upgrade of the cluster, so it is
 * read again after a while.
 */
import { stringAt } from '../../object/value.ts';
import { StageError } from '../../object/stage-error.ts';
import type { Clock } from '../../telemetry/ports.ts';
import { agentIdentity } from '../identity.ts';
import { tryParseJson } from '../live-object.ts';
import type { Transport } from '../transport/transport.ts';

/** How long an answer is believed, in milliseconds. */
const KEPT_MS = 600_000;

export interface ServerVersionOptions {
  readonly transport: Pick<Transport, 'send' | 'server'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}

/**
 * The version as `v1.36.3`. The function rejects with StageError DiscoveryFailed if the server has never answered.
 * Later the last answer stays in force while it does not answer.
 */
export function createServerVersion({ transport, clock }: ServerVersionOptions): () => Promise<string> {
  let known: { readonly version: string; readonly untilMs: number } | undefined;
  let underWay: Promise<string> | undefined;

  async function read(): Promise<string> {
    const request = { verb: 'get', method: 'GET', path: '/version', category: 'discovery' } as const;
    const answer = await transport.send({ ...request, identity: agentIdentity });
    const version = answer.status === 200 ? stringAt(tryParseJson(answer.text), 'gitVersion') : undefined;
    if (version !== undefined) known = { version, untilMs: clock.monotonicMs() + KEPT_MS };
    if (known !== undefined) return known.version;
    throw new StageError({
      stage: 'observe',
      code: 'DiscoveryFailed',
      retry: 'backoff',
      message: `cannot ask ${transport.server} for its version (${answer.status || 'no answer'})`,
    });
  }

  return () => {
    if (known !== undefined && clock.monotonicMs() < known.untilMs) return Promise.resolve(known.version);
    underWay ??= read().finally(() => (underWay = undefined));
    return underWay;
  };
}
