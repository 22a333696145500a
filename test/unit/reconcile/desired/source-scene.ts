/** An Application with a source, a clock and a Git server that the test drives. */
import type { RepositoryPush } from '../../../../src/application/repository.ts';
import { specSchema } from '../../../../src/application/schema.ts';
import { sourceError } from '../../../../src/object/source-error.ts';
import type { ValueMap } from '../../../../src/object/value.ts';
import {
  refreshSource,
  type RefreshContext,
  type RefreshOptions,
} from '../../../../src/reconcile/desired/refresh-source.ts';
import { createRecord, type ApplicationRecord } from '../../../../src/reconcile/memory.ts';
import { hearPush } from '../../../../src/reconcile/neighbours/hear-push.ts';
import { createRegistry, type Neighbours } from '../../../../src/reconcile/neighbours/neighbours.ts';
import type { FetchRequest, PollRequest } from '../../../../src/source/ports.ts';
import type { Snapshot } from '../../../../src/source/snapshot.ts';

export const MINUTE_MS = 60_000;
export const REPOSITORY = 'https://git.example.com/team/shop.git';
export const PUSH: RepositoryPush = {
  addresses: ['git@git.example.com:team/shop'],
  refs: [],
  defaultBranch: undefined,
};
export const START = Date.parse('2026-11-16T05:58:30Z');

const downError = (afterMs: number | undefined): Error => sourceError('ServerError', 'the server is down', { afterMs });

export interface Scene {
  readonly record: ApplicationRecord;
  readonly neighbours: Neighbours;
  /** Keys that were woken. */
  readonly woken: string[];
  polls: number;
  commit: string;
  isDown: boolean;
  /** `notBeforeMs` of the last poll. */
  notBeforeMs: number | undefined;
  /** Snapshots of an earlier process. */
  disk: readonly Snapshot[];
  /** Commits with the keys that have signed them, separated by a blank. */
  readonly signed: Set<string>;
  /** The time that the server names while it is down. */
  retryAfterMs: number | undefined;
  /** Called while a poll is under way. */
  duringPoll: () => void;
  hook(push?: RepositoryPush): number;
  /** A pass's use of the source stage; answers the time until the next poll. */
  pass(more?: Partial<RefreshOptions>): Promise<number>;
  wait(ms: number): void;
}

export function scene(source: ValueMap = {}, more: ValueMap = {}): Scene {
  const spec = specSchema.parse({ source: { repoURL: REPOSITORY, ...source }, ...more });
  const record = createRecord('apps/shop', {
    apiVersion: 'tautline.dev/v1alpha1',
    kind: 'Application',
    metadata: { namespace: 'apps', name: 'shop' },
    spec: { source: { repoURL: REPOSITORY, ...source }, ...more },
  });
  let passedMs = 0;
  const woken: string[] = [];
  const clock = { now: () => START + passedMs, monotonicMs: () => passedMs };
  const registry = createRegistry({ clock, wake: (key) => woken.push(key) });
  registry.note(record);
  const refuseUnsigned = ({ resolved, verification }: FetchRequest): void => {
    if (verification && !it.signed.has(`${resolved.commit} ${verification.keys[0]}`)) {
      throw sourceError('NotSigned', 'the commit is not signed');
    }
  };
  const context = {
    clock,
    chance: () => 0.5,
    settings: { pollJitter: 0.1, minPollBackoffMs: 5_000, maxPollBackoffMs: 300_000 },
    metrics: { onGitRequest: () => undefined },
    source: {
      poll: async ({ notBeforeMs }: PollRequest) => {
        it.polls++;
        it.notBeforeMs = notBeforeMs;
        it.duringPoll();
        if (it.isDown) throw downError(it.retryAfterMs);
        return { id: it.commit, revision: `main@sha1:${it.commit}`, commit: it.commit };
      },
      fetch: async (request: FetchRequest) => {
        refuseUnsigned(request);
        return { id: it.commit, revision: `main@sha1:${it.commit}`, commit: it.commit };
      },
      recall: async (request: FetchRequest) => {
        refuseUnsigned(request);
        return it.disk.find(({ commit }) => commit === request.resolved.commit);
      },
    },
  } as unknown as RefreshContext;
  const it: Scene = {
    record,
    neighbours: registry.neighbours,
    woken,
    polls: 0,
    commit: 'a',
    isDown: false,
    notBeforeMs: undefined,
    disk: [],
    signed: new Set(),
    retryAfterMs: undefined,
    duringPoll: () => undefined,
    hook: (push = PUSH) => hearPush(push, registry.neighbours),
    async pass(more = {}) {
      const { memory, signals } = record;
      const signal = new AbortController().signal;
      const credential = async () => undefined;
      const options = {
        spec: spec.source,
        tenant: 'team',
        signals,
        isForced: false,
        credential,
        verification: async () => undefined,
        signal,
        context,
        ...more,
      };
      const polled = await refreshSource(memory.desired, options);
      return polled.nextPollMs - passedMs;
    },
    wait: (ms) => (passedMs += ms),
  };
  return it;
}
