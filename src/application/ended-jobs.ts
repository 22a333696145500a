/**
 * Jobs and bare Pods in the status, by `group/Kind/namespace/name`: the first characters of the digest of the manifest
 * that they ran with, and `:failed` behind it for one that failed, or `:sent-` and a time for one whose creation was
 * about to be sent. As short as is safe, since thousands of them must fit into one object.
 */
import type { ObjectId } from '../object/identity.ts';

/** Jobs and bare Pods run to an end, once for each manifest. */
export function isRunToCompletion({ group, kind }: Pick<ObjectId, 'group' | 'kind'>): boolean {
  return (group === 'batch' && kind === 'Job') || (group === '' && kind === 'Pod');
}

/** 96 bits of a SHA-256 in base64url. */
const STORED_CHARS = 16;
const FAILED = ':failed';
const SENT = ':sent-';

/** Bytes that a record takes in the status beside its key: quotes, colon, comma and the longest value. */
export const RECORD_BYTES = 6 + STORED_CHARS + SENT.length + 10;

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

/** The record of a creation that is about to be sent: until its answer is known, the Job may or may not have run. */
export function storedSending(manifestDigest: string, nowMs: number): string {
  return `${manifestDigest.slice(0, STORED_CHARS)}${SENT}${Math.floor(nowMs / 1000)}`;
}

/** When the creation of a Job with this manifest was noted, in milliseconds since 1970. undefined: it was not. */
export function sentAtMs(stored: string | undefined, manifestDigest: string): number | undefined {
  const [digest = '', seconds] = stored?.split(SENT) ?? [];
  if (seconds === undefined || !isRunOf(digest, manifestDigest)) return undefined;
  const sentMs = Number(seconds) * 1000;
  // An unreadable time is taken for a very old one.
  return Number.isFinite(sentMs) ? sentMs : 0;
}

export function isSending(stored: string | undefined): boolean {
  return stored?.includes(SENT) === true;
}
