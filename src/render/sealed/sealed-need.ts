/** The question for the plain bytes of a sealed file. */
import { createHash } from 'node:crypto';
import type { SealedNeed } from '../needs.ts';
import type { Recipient, SealedFormat } from './sealed-file.ts';

/** Equal for equal bytes of one form, so that each is opened once. */
export function sealedNeed(
  bytes: Uint8Array,
  { format, recipients }: { readonly format: SealedFormat; readonly recipients: readonly Recipient[] },
): SealedNeed {
  const digest = createHash('sha256').update(bytes).digest('base64url');
  const content = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
  return { type: 'sealed', key: `sealed:${format}:${digest}`, format, recipients, content };
}
