/**
 * Manifests as one buffer: four bytes with the length of a JSON header (big-endian), the header, then the JSON of the
 * objects one after the other. An object whose digest the reader knows is left out, so that only changed objects are
 * sent to the parent.
 */
import { parseJson, stringifyJson } from '../object/json.ts';
import type { KubeObject, Value } from '../object/value.ts';
import type { Manifest, Manifests } from '../render/manifests.ts';

interface WireManifest {
  readonly digest: string;
  readonly file: string;
  readonly line: number;
  readonly isSealed?: true;
  /** Size of its JSON; 0 if the object is left out. */
  readonly sizeBytes: number;
}

type WireHeader = Omit<Manifests, 'manifests'> & { readonly manifests: readonly WireManifest[] };

const LENGTH_BYTES = 4;

const EMPTY = Buffer.alloc(0);

/** Sent instead of manifests if no file in the read-set of the last render has changed. */
export const UNCHANGED: Uint8Array = EMPTY;

export function isUnchanged(bytes: Uint8Array): boolean {
  return bytes.length === 0;
}

/** `known`: the digests of the objects that the reader has; these objects are left out. */
export function encodeManifests(rendered: Manifests, known: ReadonlySet<string>): Uint8Array {
  const bodies = rendered.manifests.map(({ object, digest }) => {
    return known.has(digest) ? EMPTY : Buffer.from(stringifyJson(object));
  });
  const header: WireHeader = {
    problems: rendered.problems,
    warnings: rendered.warnings,
    needs: rendered.needs,
    ...(rendered.answersUsed === undefined ? {} : { answersUsed: rendered.answersUsed }),
    readSet: rendered.readSet,
    ...(rendered.whyEmpty === undefined ? {} : { whyEmpty: rendered.whyEmpty }),
    ...(rendered.sizeBytes === undefined ? {} : { sizeBytes: rendered.sizeBytes }),
    manifests: rendered.manifests.map(({ digest, file, line, isSealed }, index) => {
      const more = isSealed ? { isSealed } : {};
      return { digest, file, line, sizeBytes: bodies[index]?.length ?? 0, ...more };
    }),
  };
  const head = Buffer.from(stringifyJson(header as unknown as Value));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(head.length);
  return Buffer.concat([length, head, ...bodies]);
}

/**
 * `known`: objects by digest; must contain at least those that were left out. A known object is returned itself, not a
 * copy. Throws if the bytes are malformed.
 */
export function decodeManifests(bytes: Uint8Array, known: ReadonlyMap<string, KubeObject>): Manifests {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = LENGTH_BYTES + buffer.readUInt32BE(0);
  const header = JSON.parse(buffer.toString('utf8', LENGTH_BYTES, at)) as WireHeader;
  const manifests = header.manifests.map(({ sizeBytes, ...manifest }): Manifest => {
    const start = at;
    at += sizeBytes;
    const object = known.get(manifest.digest) ?? (parseJson(buffer.toString('utf8', start, at)) as KubeObject);
    return { ...manifest, object };
  });
  return { ...header, manifests };
}
