/**
 * Splits a stream of bytes into lines. A watch sends one JSON text a line, in chunks that may end anywhere, even within
 * a character. Invariant: at most `maxLineBytes` bytes of an unfinished line are held.
 */

export class LineTooLongError extends Error {}

/**
 * Yields each line that is not empty, without its line feed. Bytes after the last line feed are an unfinished line and
 * are dropped. Throws LineTooLongError for a line of more than `maxLineBytes` bytes.
 */
export async function* readLines(chunks: AsyncIterable<Uint8Array>, maxLineBytes: number): AsyncGenerator<string> {
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
      const tail = chunk.subarray(start, end);
      if (heldBytes + tail.length > maxLineBytes)
        throw new LineTooLongError(`a line of the stream exceeds ${maxLineBytes} bytes`);
      const line = held.length === 0 ? decode(tail) : decode(Buffer.concat([...held, tail]));
      held = [];
      heldBytes = 0;
      start = end + 1;
      if (line !== '') yield line;
    }
    if (start === chunk.length) continue;
    held.push(chunk.subarray(start));
    heldBytes += chunk.length - start;
    if (heldBytes > maxLineBytes) throw new LineTooLongError(`a line of the stream exceeds ${maxLineBytes} bytes`);
  }
}

const LINE_FEED = 0x0a;

function decode(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}
