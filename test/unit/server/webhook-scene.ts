/** A webhook listener on loopback with a folder of secrets, and a client that sends webhooks as forges do. */
import { createHmac } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RepositoryPush } from '../../../src/application/repository.ts';
import { listen } from '../../../src/server/listener.ts';
import { webhookRoutes, type WebhookOptions } from '../../../src/server/webhooks.ts';
import type { LogFields } from '../../../src/telemetry/ports.ts';

export interface HookScene extends AsyncDisposable {
  readonly url: string;
  readonly dir: string;
  readonly pushes: RepositoryPush[];
  readonly log: { readonly message: string; readonly fields: LogFields | undefined }[];
  /** `provider result` of each counted webhook, in order. */
  readonly counted: string[];
  /** The times at which lost webhooks were reported. */
  readonly lostMs: number[];
  wait(ms: number): void;
  secret(file: string, text: string): Promise<void>;
}

export async function startHooks(options: Partial<WebhookOptions> = {}): Promise<HookScene> {
  const dir = await mkdtemp(join(tmpdir(), 'tautline-hooks-'));
  let nowMs = 0;
  const pushes: RepositoryPush[] = [];
  const log: { message: string; fields: LogFields | undefined }[] = [];
  const counted: string[] = [];
  const lostMs: number[] = [];
  const record = (message: string, fields?: LogFields): void => void log.push({ message, fields });
  const routes = webhookRoutes({
    secretsDir: dir,
    perMinute: 1000,
    totalPerMinute: 1000,
    onPush: (push) => pushes.push(push),
    onLost: () => void lostMs.push(nowMs),
    trustedProxies: [],
    log: { debug: record, info: record, warn: record, error: record },
    metrics: { onWebhook: (provider, result) => void counted.push(`${provider} ${result}`) },
    clock: { now: () => nowMs, monotonicMs: () => nowMs },
    ...options,
  });
  const listener = await listen(routes, { host: '127.0.0.1', port: 0 });
  return {
    url: listener.url,
    dir,
    pushes,
    log,
    counted,
    lostMs,
    wait: (ms) => (nowMs += ms),
    secret: (file, text) => writeFile(join(dir, file), text),
    async [Symbol.asyncDispose]() {
      await listener.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

export function hmac(body: string | Buffer, secret: string): string {
  return createHmac('sha256', secret).update(body).digest('hex');
}

export interface Answer {
  readonly status: number;
  readonly json: Record<string, unknown>;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

export interface Sent {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Send the body in chunks, without Content-Length. */
  readonly isChunked?: boolean;
  readonly method?: string;
  /** Send the body without ending the request. */
  readonly isCut?: boolean;
}

/** Uses node:http: fetch cannot send malformed requests, and misses an answer that arrives before the body is sent. */
export function send(url: string, { headers, body = '', isChunked, method = 'POST', isCut }: Sent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let isAnswered = false;
    const length = isChunked || isCut ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
    const request = httpRequest(url, { method, agent: false, headers: { ...length, ...headers } }, (response) => {
      isAnswered = true;
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        request.destroy();
        const text = Buffer.concat(chunks).toString();
        const json = (text.startsWith('{') ? JSON.parse(text) : {}) as Record<string, unknown>;
        resolve({ status: response.statusCode ?? 0, json, headers: response.headers });
      });
    });
    request.on('error', (error) => (isAnswered ? undefined : reject(error)));
    if (isCut) request.write(body);
    else if (isChunked) {
      for (let at = 0; at < body.length; at += 65_536) request.write(body.slice(at, at + 65_536));
      request.end();
    } else request.end(body);
  });
}
