/**
 * Manifests as one buffer: four bytes with the length of a JSON header (big-endian), the header, then the objects' JSON
 * one after the other. An object whose digest the reader knows has no JSON: unchanged objects cross no process border.
 */
import { parseJson, stringifyJson } from '../object/json.ts';
import type { KubeObject, Value } from '../object/value.ts';
import type { Manifest, Manifests } from '../render/manifests.ts';

interface WireManifest {
  readonly digest: string;
  readonly file: string;
  readonly line: number;
  /** Bytes of its JSON. */
  readonly length: number;
}

type WireHeader = Omit<Manifests, 'manifests'> & { readonly manifests: readonly WireManifest[] };

const LENGTH_BYTES = 4;

const NOTHING = Buffer.alloc(0);

/** What stands for "nothing that the last render looked at has changed". */
export const UNCHANGED: Uint8Array = NOTHING;

export function isUnchanged(bytes: Uint8Array): boolean {
  return bytes.length === 0;
}

/** `known`: digests of objects that the reader has; their bodies are left out. */
export function encodeManifests(rendered: Manifests, known: ReadonlySet<string>): Uint8Array {
  const bodies = rendered.manifests.map(({ object, digest }) => {
    return known.has(digest) ? NOTHING : Buffer.from(stringifyJson(object));
  });
  const header: WireHeader = {
    problems: rendered.problems,
    warnings: rendered.warnings,
    needs: rendered.needs,
    readSet: rendered.readSet,
    manifests: rendered.manifests.map(({ digest, file, line }, index) => {
      return { digest, file, line, length: bodies[index]?.length ?? 0 };
    }),
  };
  const head = Buffer.from(stringifyJson(header as unknown as Value));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(head.length);
  return Buffer.concat([length, head, ...bodies]);
}

/** `known`: objects by digest, at least those left out; the same are handed on. Throws on other bytes. */
export function decodeManifests(bytes: Uint8Array, known: ReadonlyMap<string, KubeObject>): Manifests {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = LENGTH_BYTES + buffer.readUInt32BE(0);
  const header = JSON.parse(buffer.toString('utf8', LENGTH_BYTES, at)) as WireHeader;
  const manifests = header.manifests.map(({ digest, file, line, length }): Manifest => {
    const start = at;
    at += length;
    const object = known.get(digest) ?? (parseJson(buffer.toString('utf8', start, at)) as KubeObject);
    return { digest, file, line, object };
  });
  return { ...header, manifests };
}
