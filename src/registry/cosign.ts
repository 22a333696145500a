/**
 * Verifies that an artifact was signed by cosign with one of the given keys, in both layouts that cosign writes: the
 * tag `sha256-<hex>.sig` with simple signing texts, and Sigstore bundles among the referrers of the artifact.
 *
 * Invariants: a signature counts only for the digest that it names, and only if that is the digest of the artifact. A
 * signature that cannot be read or verified does not count. Without a transparency log there is no time: an old
 * signature stays valid for as long as its key is trusted.
 */
import { createPublicKey, verify, type KeyObject } from 'node:crypto';
import { sourceError } from '../object/source-error.ts';
import { parseObject, readDescriptor, readManifest } from './artifact-layer.ts';
import type { RegistryLimits } from './limits.ts';
import type { Descriptor, RegistryClient } from './registry-client.ts';
import type { ArtifactPlace } from './tokens.ts';

/** The keys that a signature may be made with. */
export interface Verification {
  readonly provider: 'cosign';
  /** `namespace/name` of the Secret, for messages. */
  readonly secret: string;
  /** Public keys in PEM, at least one. */
  readonly keys: readonly string[];
}

export interface SignatureQuestion {
  readonly registry: RegistryClient;
  readonly place: ArtifactPlace;
  /** The digest of the manifest of the artifact. */
  readonly digest: string;
  readonly verification: Verification;
  readonly limits: Pick<RegistryLimits, 'maxSignatures' | 'maxSignatureBytes'>;
  readonly signal: AbortSignal;
}

const SIMPLE_SIGNING = 'application/vnd.dev.cosign.simplesigning.v1+json';
const SIGNATURE_ANNOTATION = 'dev.cosignproject.cosign/signature';
const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const IN_TOTO = 'application/vnd.in-toto+json';
const STATEMENT = 'https://in-toto.io/Statement/v1';
const SIGNED = 'https://sigstore.dev/cosign/sign/v1';

/** Throws StageError NotSigned if there is no signature, SignatureRefused if none of them is valid. */
export async function verifyCosign(question: SignatureQuestion): Promise<void> {
  const { place, digest, verification } = question;
  const keys = verification.keys.map((pem) => createPublicKey(pem));
  let seen = 0;
  for await (const isValid of checks(question, keys)) {
    if (isValid) return;
    seen += 1;
    if (seen >= question.limits.maxSignatures) break;
  }
  if (seen === 0) {
    throw sourceError(
      'NotSigned',
      `${place.label}@${digest} has no signature of cosign, and spec.source.verify asks for one. Sign it with cosign sign --key.`,
    );
  }
  throw sourceError(
    'SignatureRefused',
    `${place.label}@${digest} has no valid signature by a key of the Secret ${verification.secret}. Sign it with such a key, or add the key of its signer to the Secret.`,
  );
}

/** One answer for each signature: whether it is valid. */
async function* checks(question: SignatureQuestion, keys: readonly KeyObject[]): AsyncIterable<boolean> {
  for (const layer of await simpleSignatures(question)) {
    yield isSimpleValid(await read(question, layer), layer, { digest: question.digest, keys });
  }
  for (const layer of await bundles(question)) {
    const isValid = isBundleValid(await read(question, layer), { digest: question.digest, keys });
    // Attestations are bundles too, and no signatures.
    if (isValid !== undefined) yield isValid;
  }
}

async function simpleSignatures(question: SignatureQuestion): Promise<readonly Descriptor[]> {
  const { registry, place, digest, limits, signal } = question;
  const found = await registry.findManifest(place, `${digest.replace(':', '-')}.sig`, signal);
  if (!found) return [];
  const { layers } = readManifest(found, place.label);
  return layers.filter(({ mediaType }) => mediaType === SIMPLE_SIGNING).slice(0, limits.maxSignatures);
}

async function bundles(question: SignatureQuestion): Promise<readonly Descriptor[]> {
  const { registry, place, digest, limits, signal } = question;
  const index =
    (await registry.findReferrers(place, digest, signal)) ??
    (await registry.findManifest(place, digest.replace(':', '-'), signal))?.bytes;
  const manifests = index && parseObject(index)?.['manifests'];
  if (!Array.isArray(manifests)) return [];
  const layers: Descriptor[] = [];
  for (const entry of manifests.slice(0, limits.maxSignatures * 5)) {
    const descriptor = readDescriptor(entry);
    if (!descriptor || (entry as { artifactType?: unknown }).artifactType !== BUNDLE) continue;
    const found = await registry.findManifest(place, descriptor.digest, signal);
    const bundle = found && readManifest(found, place.label).layers.find(({ mediaType }) => mediaType === BUNDLE);
    if (bundle) layers.push(bundle);
    if (layers.length >= limits.maxSignatures) break;
  }
  return layers;
}

async function read({ registry, place, limits, signal }: SignatureQuestion, layer: Descriptor): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const bounds = { maxBytes: limits.maxSignatureBytes, maxBytesName: 'maxSignatureBytes', signal };
  for await (const chunk of registry.blob(place, layer, bounds)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

interface Trust {
  readonly digest: string;
  readonly keys: readonly KeyObject[];
}

function isSimpleValid(payload: Buffer, { annotations }: Descriptor, { digest, keys }: Trust): boolean {
  const signature = annotations?.[SIGNATURE_ANNOTATION];
  if (signature === undefined) return false;
  const critical = memberOf(parseObject(payload), 'critical');
  const signed = memberOf(critical, 'image')?.['docker-manifest-digest'];
  if (critical?.['type'] !== 'cosign container image signature' || signed !== digest) return false;
  return isSignedBy(keys, payload, signature);
}

/** undefined: the bundle is about something else than a signature. */
function isBundleValid(bytes: Buffer, { digest, keys }: Trust): boolean | undefined {
  const envelope = memberOf(parseObject(bytes), 'dsseEnvelope');
  const encoded = envelope?.['payload'];
  if (envelope?.['payloadType'] !== IN_TOTO || typeof encoded !== 'string') return undefined;
  const payload = Buffer.from(encoded, 'base64');
  const statement = parseObject(payload);
  if (statement?.['predicateType'] !== SIGNED) return undefined;
  const subjects: unknown = statement['subject'];
  const [subject] = Array.isArray(subjects) && subjects.length === 1 ? (subjects as unknown[]) : [];
  const named = memberOf(subject, 'digest')?.['sha256'];
  if (statement['_type'] !== STATEMENT || `sha256:${String(named)}` !== digest) return false;
  const text = preAuthenticated(payload);
  const signatures: unknown = envelope['signatures'];
  const texts = Array.isArray(signatures) ? signatures.map((entry) => (entry as { sig?: unknown } | null)?.sig) : [];
  return texts.slice(0, MAX_ENVELOPE_SIGNATURES).some((sig) => typeof sig === 'string' && isSignedBy(keys, text, sig));
}

const MAX_ENVELOPE_SIGNATURES = 5;

/** The text that a DSSE envelope signs. */
function preAuthenticated(payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`DSSEv1 ${IN_TOTO.length} ${IN_TOTO} ${payload.length} `), payload]);
}

function isSignedBy(keys: readonly KeyObject[], text: Buffer, signature: string): boolean {
  const bytes = Buffer.from(signature, 'base64');
  return keys.some((key) => {
    try {
      return verify(key.asymmetricKeyType === 'ed25519' ? null : 'sha256', text, key, bytes);
    } catch {
      return false;
    }
  });
}

function memberOf(value: unknown, name: string): Readonly<Record<string, unknown>> | undefined {
  const member = (value as Readonly<Record<string, unknown>> | null | undefined)?.[name];
  return typeof member === 'object' && member !== null ? (member as Record<string, unknown>) : undefined;
}
