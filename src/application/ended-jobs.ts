/**
 * Jobs and bare Pods in the status, by `group/Kind/namespace/name`: the first characters of the digest of the manifest
 * that they ran with, and `:failed` behind it for one that failed. As short as is safe, since thousands of them must
 * fit into one object.
 */
import type { ObjectId } from '../object/identity.ts';

/** Jobs and bare Pods run to an end, once for each manifest. */
export function isRunToCompletion({ group, kind }: Pick<ObjectId, 'group' | 'kind'>): boolean {
  return (group === 'batch' && kind === 'Job') || (group === '' && kind === 'Pod');
}

/** 96 bits of a SHA-256 in base64url. */
const STORED_CHARS = 16;
const FAILED = ':failed';

export function storedRun(manifestDigest: string, { hasFailed }: { readonly hasFailed: boolean }): string {
  return `${manifestDigest.slice(0, STORED_CHARS)}${hasFailed ? FAILED : ''}`;
}

/** Whether a stored run is one of this manifest; earlier versions stored whole digests. */
export function isRunOf(stored: string | undefined, manifestDigest: string): boolean {
  if (stored === undefined) return false;
  const digest = hasRunFailed(stored) ? stored.slice(0, -FAILED.length) : stored;
  return digest === manifestDigest || (digest.length >= STORED_CHARS && manifestDigest.startsWith(digest));
}

export function hasRunFailed(stored: string | undefined): boolean {
  return stored?.endsWith(FAILED) === true;
}
