/** Pointers of Git LFS, as its specification writes them: the content of such a file is on a server beside Git. */

export interface LfsPointer {
  /** SHA-256 of the content, 64 hex digits. */
  readonly oid: string;
  readonly sizeBytes: number;
}

const BEGIN = 'version https://git-lfs.github.com/spec/';

/** Larger files are no pointers. */
export const MAX_POINTER_BYTES = 1024;

const POINTER = /^version https:\/\/git-lfs\.github\.com\/spec\/v1\noid sha256:([0-9a-f]{64})\nsize (\d{1,15})\n?$/;

/** Whether a file is meant as a pointer, complete or not. */
export function isLfsPointer(bytes: Uint8Array): boolean {
  return bytes.length <= MAX_POINTER_BYTES && textOf(bytes).startsWith(BEGIN);
}

/** undefined: the file is no pointer, or one with extensions, whose content only other programs can read. */
export function readLfsPointer(bytes: Uint8Array): LfsPointer | undefined {
  if (bytes.length > MAX_POINTER_BYTES) return undefined;
  const [, oid, size] = POINTER.exec(textOf(bytes).replaceAll('\r\n', '\n')) ?? [];
  return oid === undefined ? undefined : { oid, sizeBytes: Number(size) };
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
