/** A watch with a scripted transport instead of a server, so that a test decides exactly when which event arrives. */
import { mock } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { agentIdentity } from '../../../../src/cluster/identity.ts';
import { defaultClusterLimits } from '../../../../src/cluster/limits.ts';
import { noMetrics } from '../../../../src/cluster/metrics.ts';
import type { HttpAnswer, HttpRequest, StreamAnswer } from '../../../../src/cluster/transport/transport.ts';
import type { WatchOptions } from '../../../../src/cluster/watches/watch-state.ts';
import { startWatch, type Watch } from '../../../../src/cluster/watches/watch.ts';
import { stringAt } from '../../../../src/object/value.ts';
import { configMaps } from '../sample-kinds.ts';

/** One stream that the watch opened. `path` is its request; the test sends its events. */
export interface Stream {
  readonly path: string;
  send(...events: object[]): void;
  sendText(text: string): void;
  end(): void;
  readonly isCut: boolean;
}

export interface ScriptedTransport {
  readonly transport: WatchOptions['transport'];
  readonly opened: Stream[];
  /** Paths of the other requests. */
  readonly listed: string[];
  recover(isSuspect: boolean): void;
}

interface TransportScript {
  /** The status of the nth stream, from 1. */
  readonly openStatus?: (n: number) => number;
  readonly list?: (path: string) => HttpAnswer;
}

export interface Script extends Omit<ScriptedTransport, 'transport'> {
  readonly restarts: string[];
  /** Calls of the sink. */
  readonly told: string[];
  /** Level and message. */
  readonly logged: string[];
  readonly watch: Watch;
}

interface ScriptOptions extends TransportScript {
  readonly maxWatchLineBytes?: number;
}

const noAnswer: HttpAnswer = { status: 0, headers: {}, text: '', failure: 'nothing there' };

export function scriptTransport({
  openStatus = () => 200,
  list = () => noAnswer,
}: TransportScript = {}): ScriptedTransport {
  const opened: Stream[] = [];
  const listed: string[] = [];
  let onRecovery: (isSuspect: boolean) => void = () => {};
  const transport: ScriptedTransport['transport'] = {
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
  };
  return { transport, opened, listed, recover: (isSuspect) => onRecovery(isSuspect) };
}

/** Starts a watch of ConfigMaps in the namespace shop. */
export function play({ maxWatchLineBytes = 10_000, ...script }: ScriptOptions = {}): Script {
  const restarts: string[] = [];
  const told: string[] = [];
  const logged: string[] = [];
  const logAs =
    (level: string) =>
    (message: string): void =>
      void logged.push(`${level} ${message}`);
  const { transport, ...scripted } = scriptTransport(script);
  const watch = startWatch({
    transport,
    limits: { ...defaultClusterLimits, maxWatchLineBytes },
    clock: { monotonicMs: () => Date.now() },
    chance: () => 0,
    log: { debug: logAs('debug'), info: logAs('info'), warn: logAs('warn'), error: logAs('error') },
    metrics: { ...noMetrics, onWatchRestart: ({ reason }) => void restarts.push(reason) },
    identity: agentIdentity,
    kind: configMaps,
    namespace: 'shop',
    labelSelector: 'part-of',
    sink: {
      begin: (isReset) => void told.push(isReset ? 'begin reset' : 'begin'),
      upsert: (value) =>
        void told.push(`put ${stringAt(value, 'metadata', 'name')}@${stringAt(value, 'metadata', 'resourceVersion')}`),
      deleted: (value) => void told.push(`deleted ${stringAt(value, 'metadata', 'name')}`),
      complete: (resourceVersion) => void told.push(`complete ${resourceVersion}`),
      opened: () => void told.push('opened'),
      failed: ({ code }) => void told.push(`failed ${code}`),
    },
  });
  return { ...scripted, restarts, told, logged, watch };
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

/** An empty list at this resourceVersion. */
export const reached = (resourceVersion: string) => (): HttpAnswer => ({
  status: 200,
  headers: {},
  text: JSON.stringify({ metadata: { resourceVersion }, items: [] }),
});
