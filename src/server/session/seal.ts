/**
 * Seals texts that a browser keeps for the agent: AES-256-GCM, so that a browser can neither read nor change them.
 *
 * Invariants: every text is sealed with its own random nonce. A text that was sealed for one purpose cannot be opened
 * for another one.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

export interface Seal {
  /** Characters of base64url: four for three bytes of the text, and 38 more. */
  readonly close: (purpose: string, text: string) => string;
  /** undefined: the text was not sealed with this key and for this purpose. */
  readonly open: (purpose: string, sealed: string) => string | undefined;
}

const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** `secret`: at least 32 bytes that only the agent knows. Default: random ones, which end with the process. */
export function createSeal(secret: Buffer = randomBytes(32)): Seal {
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'tautline session', 32));
  return {
    close(purpose, text) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(ALGORITHM, key, nonce).setAAD(Buffer.from(purpose));
      const parts = [nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()];
      return Buffer.concat(parts).toString('base64url');
    },
    open(purpose, sealed) {
      const bytes = Buffer.from(sealed, 'base64url');
      if (bytes.length < NONCE_BYTES + TAG_BYTES) return undefined;
      const tagAt = bytes.length - TAG_BYTES;
      const decipher = createDecipheriv(ALGORITHM, key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
      decipher.setAAD(Buffer.from(purpose)).setAuthTag(bytes.subarray(tagAt));
      try {
        return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, tagAt)), decipher.final()]).toString('utf8');
      } catch {
        return undefined;
      }
    },
  };
}
