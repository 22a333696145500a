/** The keys that the provenance file of a Helm chart must be signed with; plain data. */

export interface ChartVerification {
  readonly provider: 'helm';
  /** `namespace/name` of the Secret, for messages. */
  readonly secret: string;
  /** The field of the spec that asks for signatures, for messages. */
  readonly field: string;
  /** Texts as those of `GitVerification`; the OpenPGP keys among them count. */
  readonly keys: readonly string[];
}
