/** The clients of the benchmark of the status API, in a thread of their own. */
import { parentPort, workerData } from 'node:worker_threads';

export type ClientTask =
  | { readonly type: 'requests'; readonly path: string; readonly count: number; readonly isConditional?: true }
  | { readonly type: 'open'; readonly count: number }
  /** Waits until all open streams have told so many changes. */
  | { readonly type: 'follow'; readonly events: number };

export interface ClientAnswer {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** The size of one answer. */
  readonly bytes: number;
}

/** Streams of one account. */
const OF_ACCOUNT = 25;

const url = workerData as string;
const delays: number[] = [];
let onEvent = (): void => undefined;

parentPort?.on('message', (task: ClientTask) => {
  void answerTo(task).then((answer) => parentPort?.postMessage(answer));
});

function answerTo(task: ClientTask): Promise<ClientAnswer> {
  if (task.type === 'requests') return request(task);
  return task.type === 'open' ? open(task.count) : follow(task.events);
}

async function request({
  path,
  count,
  isConditional,
}: Extract<ClientTask, { type: 'requests' }>): Promise<ClientAnswer> {
  const times: number[] = [];
  let bytes = 0;
  let tag = '';
  for (let n = 0; n < count; n++) {
    const from = performance.now();
    const headers = { authorization: 'Bearer bench', ...(isConditional && { 'if-none-match': tag }) };
    const answer = await fetch(url + path, { headers });
    bytes = (await answer.arrayBuffer()).byteLength;
    if (!answer.ok && answer.status !== 304) throw new Error(`${path}: ${answer.status}`);
    tag = answer.headers.get('etag') ?? tag;
    times.push(performance.now() - from);
  }
  return figuresOf(times, bytes);
}

async function open(count: number): Promise<ClientAnswer> {
  const times: number[] = [];
  for (let n = 0; n < count; n++) {
    const from = performance.now();
    const headers = { authorization: `Bearer account-${Math.floor(n / OF_ACCOUNT)}` };
    const answer = await fetch(`${url}/api/v1/stream`, { headers });
    if (!answer.ok || !answer.body) throw new Error(`a stream was answered with ${answer.status}`);
    times.push(performance.now() - from);
    void read(answer.body);
  }
  return figuresOf(times, 0);
}

async function read(body: ReadableStream<Uint8Array>): Promise<void> {
  const decoder = new TextDecoder();
  for await (const chunk of body) {
    const now = performance.timeOrigin + performance.now();
    for (const [, at] of decoder.decode(chunk).matchAll(/changed at ([\d.]+)/g)) delays.push(now - Number(at));
    onEvent();
  }
}

async function follow(events: number): Promise<ClientAnswer> {
  await new Promise<void>((resolve) => {
    onEvent = () => {
      if (delays.length >= events) resolve();
    };
    onEvent();
  });
  return figuresOf(delays, 0);
}

function figuresOf(times: readonly number[], bytes: number): ClientAnswer {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): number => Math.round((sorted[Math.floor((sorted.length - 1) * share)] ?? 0) * 10) / 10;
  return { count: times.length, p50Ms: at(0.5), p99Ms: at(0.99), bytes };
}
