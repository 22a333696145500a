/**
 * Sends one JSON request to the API server of a test, and waits until a server is ready.
 *
 * Invariant: imports only modules of Node, so that tests of Tautline's own client do not depend on that client.
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

/** A PATCH is sent as a JSON merge patch (RFC 7386). */
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

/** Like kubernetesRequest, but rejects with the server's message unless the code is 200–299 or in `alsoFine`. */
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
  /** Name of the awaited part, for the error. */
  readonly name: string;
  /** A rejection counts as not ready yet. */
  readonly isReady: () => Promise<boolean>;
  /** Resolves to the reason if the part can never become ready, which ends the wait at once. */
  readonly findFailure?: () => Promise<string | undefined>;
}

/** Resolves when `isReady` resolves to true. Rejects if `findFailure` finds a reason, or after `readyTimeoutMs`. */
export async function waitUntil(wait: Wait): Promise<void> {
  const deadlineMs = Date.now() + readyTimeoutMs;
  let last: unknown;
  while (Date.now() < deadlineMs) {
    const reason = await wait.findFailure?.();
    if (reason) throw new Error(`${wait.name}: ${reason}`);
    try {
      if (await wait.isReady()) return;
    } catch (error) {
      last = error;
    }
    await sleep(pollEveryMs);
  }
  throw new Error(`gave up waiting for ${wait.name} after ${readyTimeoutMs / 1000} s`, { cause: last });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
