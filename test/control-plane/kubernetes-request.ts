/**
 * One JSON request to a test's API server, and waiting until a server says that it is ready.
 *
 * Invariant: needs nothing but Node, so that what tests Tautline's own client does not rest on it.
 */
import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';

const pollEveryMs = 50;
const requestTimeoutMs = 30_000;
/** Far beyond what a loaded machine needs; reached only when something is broken. */
const readyTimeoutMs = 300_000;

export interface Access {
  readonly url: string;
  readonly caFile: string;
  readonly token: string;
}

export interface KubernetesAnswer {
  readonly code: number;
  /** The parsed JSON body, or the text when it is not JSON. */
  readonly body: unknown;
}

/** A patch is one of RFC 7386. */
const CONTENT_TYPE: Readonly<Record<string, string>> = { PATCH: 'application/merge-patch+json' };

/** Sends one request and reads the whole answer, whatever its code. Rejects when there is no answer. */
export async function kubernetesRequest(
  access: Access,
  method: string,
  path: string,
  body?: unknown,
): Promise<KubernetesAnswer> {
  const ca = await readFile(access.caFile);
  const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
  return new Promise((resolve, reject) => {
    const outgoing = request(
      new URL(path, access.url),
      {
        method,
        ca,
        agent: false,
        timeout: requestTimeoutMs,
        headers: {
          authorization: `Bearer ${access.token}`,
          accept: 'application/json',
          ...(payload && {
            'content-type': CONTENT_TYPE[method] ?? 'application/json',
            'content-length': payload.length,
          }),
        },
      },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () => {
          resolve({ code: answer.statusCode ?? 0, body: parsed(Buffer.concat(chunks).toString('utf8')) });
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer from ${access.url}${path}`)));
    outgoing.end(payload);
  });
}

/** Like kubernetesRequest, but any code outside 200–299 and `alsoFine` is an Error with the server's own message. */
export async function expectKubernetes(
  access: Access,
  call: { method: string; path: string; body?: unknown; alsoFine?: readonly number[] },
): Promise<unknown> {
  const answer = await kubernetesRequest(access, call.method, call.path, call.body);
  if ((answer.code >= 200 && answer.code < 300) || call.alsoFine?.includes(answer.code)) return answer.body;
  const message =
    answer.body && typeof answer.body === 'object' && 'message' in answer.body ? answer.body.message : answer.body;
  throw new Error(`${call.method} ${call.path} answered ${answer.code}: ${String(message)}`);
}

export interface Wait {
  /** What is waited for, as the error names it. */
  readonly what: string;
  /** An exception in it counts as not yet. */
  readonly ready: () => Promise<boolean>;
  /** Why it can never be ready any more, if so. Ends the wait at once. */
  readonly hopeless?: () => Promise<string | undefined>;
}

/** Resolves when `ready` does to true. Throws when that is hopeless, or after readyTimeoutMs. */
export async function waitUntil(wait: Wait): Promise<void> {
  const deadline = Date.now() + readyTimeoutMs;
  let last: unknown;
  while (Date.now() < deadline) {
    const why = await wait.hopeless?.();
    if (why) throw new Error(`${wait.what}: ${why}`);
    try {
      if (await wait.ready()) return;
    } catch (error) {
      last = error;
    }
    await sleep(pollEveryMs);
  }
  throw new Error(`gave up waiting for ${wait.what} after ${readyTimeoutMs / 1000} s`, { cause: last });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
