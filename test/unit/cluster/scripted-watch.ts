/** A watch played against a script instead of a server: only so can it be told exactly when it hears what. */
import { mock } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { agentIdentity } from '../../../src/cluster/identity.ts';
import { defaultClusterLimits } from '../../../src/cluster/limits.ts';
import { noMetrics } from '../../../src/cluster/metrics.ts';
import type { HttpAnswer, HttpRequest, StreamAnswer } from '../../../src/cluster/transport.ts';
import { startWatch, type Watch } from '../../../src/cluster/watch.ts';
import { stringAt } from '../../../src/object/value.ts';
import { CONFIG_MAPS } from '../../support/objects.ts';

/** One scripted connection: what the watch asked for, and what it is told. */
export interface Stream {
  readonly path: string;
  send(...events: object[]): void;
  sendText(text: string): void;
  end(): void;
  readonly isCut: boolean;
}

export interface Script {
  readonly opened: Stream[];
  readonly listed: string[];
  readonly restarts: string[];
  readonly told: string[];
  /** Level and message. */
  readonly logged: string[];
  readonly watch: Watch;
  recover(isSuspect: boolean): void;
}

interface ScriptOptions {
  readonly openStatus?: (n: number) => number;
  readonly list?: (path: string) => HttpAnswer;
  readonly maxWatchLineBytes?: number;
}

const noAnswer: HttpAnswer = { status: 0, headers: {}, text: '', failure: 'nothing there' };

export function play({
  openStatus = () => 200,
  list = () => noAnswer,
  maxWatchLineBytes = 10_000,
}: ScriptOptions = {}): Script {
  const opened: Stream[] = [];
  const listed: string[] = [];
  const restarts: string[] = [];
  const told: string[] = [];
  const logged: string[] = [];
  const logAs =
    (level: string) =>
    (message: string): void =>
      void logged.push(`${level} ${message}`);
  let onRecovery: (isSuspect: boolean) => void = () => {};
  const watch = startWatch({
    transport: {
      server: 'https://api.example.com',
      send(request: HttpRequest) {
        listed.push(request.path);
        return Promise.resolve(list(request.path));
      },
      openStream(request: HttpRequest, signal: AbortSignal): Promise<StreamAnswer> {
        const stream = createStream(request.path, signal);
        opened.push(stream);
        return Promise.resolve({ status: openStatus(opened.length), headers: {}, chunks: stream.chunks });
      },
      onRecovery(listener) {
        onRecovery = listener;
        return () => {};
      },
    },
    limits: { ...defaultClusterLimits, maxWatchLineBytes },
    clock: { monotonicMs: () => Date.now() },
    chance: () => 0,
    log: { debug: logAs('debug'), info: logAs('info'), warn: logAs('warn'), error: logAs('error') },
    metrics: { ...noMetrics, onWatchRestart: ({ reason }) => void restarts.push(reason) },
    identity: agentIdentity,
    kind: CONFIG_MAPS,
    namespace: 'shop',
    labelSelector: 'part-of',
    sink: {
      begin: (isReset) => void told.push(isReset ? 'begin reset' : 'begin'),
      upsert: (value) =>
        void told.push(`put ${stringAt(value, 'metadata', 'name')}@${stringAt(value, 'metadata', 'resourceVersion')}`),
      deleted: (value) => void told.push(`deleted ${stringAt(value, 'metadata', 'name')}`),
      complete: (resourceVersion) => void told.push(`complete ${resourceVersion}`),
      live: () => void told.push('live'),
      failed: ({ code }) => void told.push(`failed ${code}`),
    },
  });
  return { opened, listed, restarts, told, logged, watch, recover: (isSuspect) => onRecovery(isSuspect) };
}

function createStream(path: string, signal: AbortSignal): Stream & { chunks: AsyncIterable<Uint8Array> } {
  const queue: Uint8Array[] = [];
  let isEnded = false;
  let wake = (): void => {};
  signal.addEventListener('abort', () => wake());
  async function* read(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunk = queue.shift();
      if (chunk) yield chunk;
      else if (signal.aborted) throw new DOMException('aborted', 'AbortError');
      else if (isEnded) return;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  }
  const stream = {
    path,
    chunks: read(),
    sendText(text: string) {
      queue.push(Buffer.from(text));
      wake();
    },
    send: (...events: object[]) => stream.sendText(events.map((event) => `${JSON.stringify(event)}\n`).join('')),
    end() {
      isEnded = true;
      wake();
    },
    get isCut() {
      return signal.aborted;
    },
  };
  return stream;
}

export const object = (name: string, resourceVersion: string): object => ({ metadata: { name, resourceVersion } });
export const added = (name: string, resourceVersion: string): object => ({
  type: 'ADDED',
  object: object(name, resourceVersion),
});
export const endOfList = (resourceVersion: string): object => ({
  type: 'BOOKMARK',
  object: { metadata: { resourceVersion, annotations: { 'k8s.io/initial-events-end': 'true' } } },
});
export const expired = { type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } };

export async function settle(): Promise<void> {
  for (let n = 0; n < 30; n++) await turn();
}

export async function pass(ms: number): Promise<void> {
  mock.timers.tick(ms);
  await settle();
}

/** The answer to `how far are you`. */
export const reached = (resourceVersion: string) => (): HttpAnswer => ({
  status: 200,
  headers: {},
  text: JSON.stringify({ metadata: { resourceVersion }, items: [] }),
});
