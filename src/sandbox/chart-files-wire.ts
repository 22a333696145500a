/**
 * The files of a chart as one buffer: four bytes with the length of a JSON header (big-endian), the header, then the
 * contents of the files one after the other. A chart whose files cannot be collected is answered by its problem.
 */
import type { ChartFile, CollectedFiles } from '../render/helm/chart-files.ts';

type Header =
  | { readonly files: readonly { readonly path: string; readonly sizeBytes: number }[] }
  | Pick<Extract<CollectedFiles, { readonly ok: false }>, 'problem'>;

const LENGTH_BYTES = 4;

export function encodeChartFiles(collected: CollectedFiles): Uint8Array {
  const files = collected.ok ? collected.files : [];
  const header: Header = collected.ok
    ? { files: files.map(({ path, bytes }) => ({ path, sizeBytes: bytes.length })) }
    : { problem: collected.problem };
  const head = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(head.length);
  return Buffer.concat([length, head, ...files.map(({ bytes }) => bytes)]);
}

/** The contents share the memory of `bytes`. Throws if the bytes are malformed. */
export function decodeChartFiles(bytes: Uint8Array): CollectedFiles {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = LENGTH_BYTES + buffer.readUInt32BE(0);
  const header = JSON.parse(buffer.toString('utf8', LENGTH_BYTES, at)) as Header;
  if ('problem' in header) return { ok: false, problem: header.problem };
  const files = header.files.map(({ path, sizeBytes }): ChartFile => {
    const start = at;
    at += sizeBytes;
    if (at > buffer.length) throw new Error('the files of a chart are cut off');
    return { path, bytes: buffer.subarray(start, at) };
  });
  return { ok: true, files };
}
