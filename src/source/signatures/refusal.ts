/** The reason why a commit, tag or chart does not count as signed, before it is known where the object is from. */
import type { SourceCode } from '../../object/source-error.ts';

export type SignatureCode = Extract<
  SourceCode,
  | 'DigestMismatch'
  | 'InvalidSecret'
  | 'NotSigned'
  | 'SignatureAltered'
  | 'SignatureRefused'
  | 'SignatureUnsupported'
  | 'SignerExpired'
  | 'SignerUnknown'
  | 'TagReplayed'
>;

export class SignatureRefusal extends Error {
  override readonly name = 'SignatureRefusal';
  readonly code: SignatureCode;

  /** `message` goes on after the name of the object: `is signed by an unknown key. …`. */
  constructor(code: SignatureCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** A signature that Tautline does not read. `reason` goes on after `has a signature that`. */
export function unsupported(reason: string, advice = 'Sign it with an SSH key or an OpenPGP key.'): SignatureRefusal {
  return new SignatureRefusal('SignatureUnsupported', `has a signature that ${reason}. ${advice}`);
}

export function altered(): SignatureRefusal {
  return new SignatureRefusal(
    'SignatureAltered',
    'does not match its signature: the object or the signature was altered. Find out who pushed it, and sign it again.',
  );
}
