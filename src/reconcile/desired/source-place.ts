/**
 * The place of a source: its address, with what Secrets say about it.
 *
 * Invariant: a source whose spec asks for signatures is never read without the keys that verify them.
 */
import type { SourceAddress } from '../../application/artifact-revision.ts';
import type { Credential } from '../../source/credential.ts';
import type { SourcePlace, SourceVerification } from '../../source/ports.ts';

export interface PlaceReaders {
  readonly spec: SourceAddress & Pick<SourcePlace, 'lfsObject'>;
  readonly credential: () => Promise<Credential | undefined>;
  /** The keys of `spec.verify`. undefined: the spec asks for no signature. */
  readonly verification: () => Promise<SourceVerification | undefined>;
}

/** Rejects with the StageErrors of the readers. */
export async function readPlace({ spec, credential, verification }: PlaceReaders): Promise<SourcePlace> {
  const { repoURL: repoUrl, chart, lfsObject } = spec;
  return { repoUrl, chart, lfsObject, credential: await credential(), verification: await verification() };
}
