/**
 * Reads the body of a webhook as raw bytes, which the signature covers.
 *
 * Invariant: at most `maxBytes` of one request and `maxHeldBytes` of all requests are held in memory, for at most
 * `timeoutMs`, independent of what the headers say.
 */
import type { IncomingMessage } from 'node:http';

export interface BodyLimits {
  readonly maxBytes: number;
  /** Bytes of all requests that are being read. */
  readonly maxHeldBytes: number;
  readonly timeoutMs: number;
}

export type HookBody =
  | { readonly ok: true; readonly bytes: Buffer }
  | { readonly ok: false; readonly reason: 'too_large' | 'busy' | 'timeout' | 'aborted' };

export type ReadBody = (request: IncomingMessage) => Promise<HookBody>;

export function createBodyReader({ maxBytes, maxHeldBytes, timeoutMs }: BodyLimits): ReadBody {
  let heldBytes = 0;
  return (request) =>
    new Promise((resolve) => {
      const chunks: Buffer[] = [];
      let sizeBytes = 0;
      const end = (body: HookBody): void => {
        clearTimeout(timer);
        request.off('data', onData).off('end', onEnd).off('error', onAbort).off('close', onAbort);
        // The rest of the body is not read: the answer closes the connection.
        if (!body.ok) request.pause().on('error', () => undefined);
        heldBytes -= sizeBytes;
        chunks.length = 0;
        resolve(body);
      };
      const onData = (chunk: Buffer): void => {
        sizeBytes += chunk.length;
        heldBytes += chunk.length;
        if (sizeBytes > maxBytes) end({ ok: false, reason: 'too_large' });
        else if (heldBytes > maxHeldBytes) end({ ok: false, reason: 'busy' });
        else chunks.push(chunk);
      };
      const onEnd = (): void => end({ ok: true, bytes: Buffer.concat(chunks) });
      const onAbort = (): void => end({ ok: false, reason: 'aborted' });
      const timer = setTimeout(() => end({ ok: false, reason: 'timeout' }), timeoutMs);
      if (Number(request.headers['content-length'] ?? 0) > maxBytes) end({ ok: false, reason: 'too_large' });
      else request.on('data', onData).on('end', onEnd).on('error', onAbort).on('close', onAbort);
    });
}
