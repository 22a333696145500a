/** The keys that the commits and tags of a Git repository must be signed with; plain data. */

/** The object that must be signed: the commit, the annotated tag that names it, or both. */
export type VerifyMode = 'head' | 'tag' | 'both';

export interface GitVerification {
  readonly provider: 'git';
  readonly mode: VerifyMode;
  /** `namespace/name` of the Secret, for messages. */
  readonly secret: string;
  /** The field of the spec that asks for signatures, for messages. */
  readonly field: string;
  /** Texts with public keys: allowed signers, keys of SSH, or armored keys of OpenPGP. */
  readonly keys: readonly string[];
}
