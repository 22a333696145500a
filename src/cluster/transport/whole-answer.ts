/**
 * One request whose answer is read as a whole. A stream for each answer costs more than the answer of one object does.
 *
 * Invariant: an answer is told once, after its last byte; a request that ends in any other way rejects with the error
 * of the HTTP client.
 */
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { Dispatcher } from 'undici';

export interface WholeAnswer {
  readonly statusCode: number;
  readonly headers: Dispatcher.ResponseData['headers'];
  readonly bytes: Buffer;
}

/** `onStatus` is called once the headers of the answer are there. Rejects if there is no whole answer. */
export function requestWhole(
  dispatcher: Dispatcher,
  request: Dispatcher.DispatchOptions,
  onStatus: (statusCode: number) => void,
): Promise<WholeAnswer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let head: Omit<WholeAnswer, 'bytes'> | undefined;
    dispatcher.dispatch(request, {
      onRequestStart() {},
      onResponseStart(_controller, statusCode, headers) {
        // An interim answer (103) is followed by another one.
        if (statusCode < 200) return;
        head = { statusCode, headers };
        onStatus(statusCode);
      },
      onResponseData: (_controller, chunk) => void chunks.push(chunk),
      onResponseEnd() {
        const [first = Buffer.alloc(0)] = chunks;
        if (head) resolve({ ...head, bytes: chunks.length > 1 ? Buffer.concat(chunks) : first });
        else reject(new Error('the answer has no status'));
      },
      onResponseError: (_controller, error) => reject(error),
    });
  });
}

const unzip = promisify(gunzip);

/** The text of an answer, unpacked if it is compressed. Rejects if it unpacks to more than `maxBytes` bytes. */
export async function textOf({ headers, bytes }: WholeAnswer, maxBytes: number): Promise<string> {
  const isPacked = headers['content-encoding'] === 'gzip';
  const plain = isPacked ? await unzip(bytes, { maxOutputLength: maxBytes }) : bytes;
  return plain.toString('utf8');
}
