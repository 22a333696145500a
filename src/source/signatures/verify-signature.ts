/**
 * Verifies the signatures of a commit and of the tag that names it.
 *
 * Invariant: an object whose signature is not verified completely is refused, whatever the reason.
 */
import { boundedName, explained } from './explain-refusal.ts';
import type { GitVerification } from './git-verification.ts';
import { PGP_BEGIN, verifyOpenPgp } from './openpgp-signature.ts';
import { SignatureRefusal, unsupported } from './refusal.ts';
import { readTagTarget, splitCommit, splitTag, type SignedObject } from './signed-object.ts';
import { SSH_BEGIN, verifySsh, type Signer } from './ssh-signature.ts';
import { joinTrust, type TrustList } from './trust-list.ts';

export interface SignedRevision {
  /** 40 hex digits. */
  readonly commit: string;
  readonly commitData: Buffer;
  /** The annotated tags that may name the commit; the first with a valid signature counts. */
  readonly tags: readonly NamedTag[];
}

export interface NamedTag {
  /** The name of the reference, without refs/tags/. undefined: the commit was not found by a name. */
  readonly name: string | undefined;
  readonly data: Buffer;
}

export interface VerifyOptions {
  readonly verification: GitVerification;
  /** Names the repository in messages. */
  readonly label: string;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
}

/** Rejects with StageErrors; see `SignatureCode`. */
export async function verifyRevision(revision: SignedRevision, options: VerifyOptions): Promise<Signer> {
  const { mode } = options.verification;
  const trust = joinTrust(options.verification.keys);
  const signers: Signer[] = [];
  if (mode !== 'head') signers.push(await verifyTags(revision, trust, options));
  if (mode !== 'tag') {
    const subject = `The commit ${revision.commit}`;
    signers.push(
      await explained(subject, options, () => verifyObject(splitCommit(revision.commitData), trust, options)),
    );
  }
  const names = new Set(signers.map(({ name }) => boundedName(name)));
  return { name: [...names].join(', '), validUntilMs: Math.min(...signers.map(({ validUntilMs }) => validUntilMs)) };
}

async function verifyTags({ tags, commit }: SignedRevision, trust: TrustList, options: VerifyOptions): Promise<Signer> {
  let first: unknown;
  for (const tag of tags) {
    const subject = tag.name === undefined ? `A tag of ${commit}` : `The tag ${boundedName(tag.name)}`;
    try {
      return await explained(subject, options, () => verifyTag(tag, commit, { trust, options }));
    } catch (error) {
      first ??= error;
    }
  }
  return explained(`The commit ${commit}`, options, () => {
    throw first instanceof Error ? first : noTag();
  });
}

function noTag(): SignatureRefusal {
  return new SignatureRefusal(
    'NotSigned',
    'is named by no annotated tag, and only such a tag can be signed. Sign one with git tag -s, and follow it by spec.source.revision.',
  );
}

interface Trusting {
  readonly trust: TrustList;
  readonly options: VerifyOptions;
}

async function verifyTag(tag: NamedTag, commit: string, { trust, options }: Trusting): Promise<Signer> {
  const signed = splitTag(tag.data);
  const signer = await verifyObject(signed, trust, options);
  const target = readTagTarget(signed.payload);
  if (!target || target.type !== 'commit') throw unsupported('is of a tag that does not name a commit directly');
  if (target.object === commit && (tag.name === undefined || target.name === tag.name)) return signer;
  throw new SignatureRefusal(
    'TagReplayed',
    'is a signed tag of another name or commit under a new name. Find out who pushed it, and sign a tag of its own.',
  );
}

async function verifyObject(
  { payload, signature, writtenS }: SignedObject,
  trust: TrustList,
  { nowMs }: VerifyOptions,
): Promise<Signer> {
  if (signature.startsWith(SSH_BEGIN)) {
    return verifySsh({ payload, signature, writtenS, trusted: trust.ssh, nowS: nowMs / 1000 });
  }
  if (signature.startsWith(PGP_BEGIN)) return verifyOpenPgp({ payload, signature, keys: trust.openPgp, nowMs });
  throw unsupported('is neither of SSH nor of OpenPGP (X.509 and gitsign are not supported)');
}
