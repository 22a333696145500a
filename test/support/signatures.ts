/** Signs artifacts as cosign does with a key: in the older layout, and as a Sigstore bundle. */
import { MANIFEST, type RegistryServer } from './registry-server.ts';

/** The part of a registry that signatures are stored in. */
export type Blobs = Pick<RegistryServer, 'putBlob' | 'putManifest'>;

export interface SignedArtifact {
  readonly name: string;
  /** The digest that the signature names; `at` is the one at which it is stored. Default: the same. */
  readonly digest: string;
  readonly at?: string;
  /** Returns the signature of the bytes. */
  readonly sign: (bytes: Buffer) => Buffer;
  readonly layout?: 'simple' | 'bundle';
  readonly predicateType?: string;
}

const SIMPLE_SIGNING = 'application/vnd.dev.cosign.simplesigning.v1+json';
const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const IN_TOTO = 'application/vnd.in-toto+json';

export function pushSignature(registry: Blobs, artifact: SignedArtifact): void {
  if (artifact.layout === 'bundle') pushBundle(registry, artifact);
  else pushSimple(registry, artifact);
}

function pushSimple(registry: Blobs, { name, digest, at = digest, sign }: SignedArtifact): void {
  const critical = {
    identity: { 'docker-reference': '' },
    image: { 'docker-manifest-digest': digest },
    type: 'cosign container image signature',
  };
  const payload = Buffer.from(JSON.stringify({ critical, optional: null }));
  const annotations = { 'dev.cosignproject.cosign/signature': sign(payload).toString('base64') };
  const layer = { mediaType: SIMPLE_SIGNING, digest: registry.putBlob(payload), size: payload.length, annotations };
  registry.putManifest(name, `${at.replace(':', '-')}.sig`, {
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: configOf(registry),
    layers: [layer],
  });
}

/** A registry refuses a manifest without a configuration, whatever is in it. */
function configOf(registry: Blobs) {
  const config = Buffer.from('{}');
  return { mediaType: 'application/vnd.oci.empty.v1+json', digest: registry.putBlob(config), size: config.length };
}

/** As a registry without the list of referrers has it: below a tag with the digest. */
function pushBundle(registry: Blobs, artifact: SignedArtifact): void {
  const { name, digest, at = digest, sign, predicateType = 'https://sigstore.dev/cosign/sign/v1' } = artifact;
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    predicateType,
    subject: [{ digest: { sha256: digest.slice('sha256:'.length) } }],
  };
  const payload = Buffer.from(JSON.stringify(statement));
  const text = Buffer.concat([Buffer.from(`DSSEv1 ${IN_TOTO.length} ${IN_TOTO} ${payload.length} `), payload]);
  const signatures = [{ sig: sign(text).toString('base64') }];
  const dsseEnvelope = { payloadType: IN_TOTO, payload: payload.toString('base64'), signatures };
  const bundle = Buffer.from(JSON.stringify({ mediaType: BUNDLE, dsseEnvelope }));
  const layer = { mediaType: BUNDLE, digest: registry.putBlob(bundle), size: bundle.length };
  const config = configOf(registry);
  const manifest = { schemaVersion: 2, mediaType: MANIFEST, artifactType: BUNDLE, config, layers: [layer] };
  const stored = registry.putManifest(name, undefined, manifest);
  const size = Buffer.byteLength(JSON.stringify(manifest));
  const entry = { mediaType: MANIFEST, artifactType: BUNDLE, digest: stored, size };
  const index = { schemaVersion: 2, manifests: [entry] };
  registry.putManifest(name, at.replace(':', '-'), index, 'application/vnd.oci.image.index.v1+json');
}
