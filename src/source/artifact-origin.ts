/**
 * Charts and OCI artifacts as an origin of snapshots: a revision is resolved to a digest, and the archive with that
 * digest becomes a tree.
 *
 * The digest stands where that of a commit stands elsewhere: 64 hex digits, shown as `6.5.4@sha256:…`.
 */
import { join } from 'node:path';
import { readArtifactRevision, type ArtifactRevision } from '../application/artifact-revision.ts';
import { isVersion, newestIn } from '../application/version-range.ts';
import { cleanText, printable } from '../object/printable.ts';
import { sourceError } from '../object/source-error.ts';
import {
  CHART_TYPE,
  contentOf,
  PROVENANCE_TYPE,
  readManifest,
  type ArtifactManifest,
} from '../registry/artifact-layer.ts';
import type { ListedVersion } from '../registry/chart-index.ts';
import { verifyCosign, type Verification } from '../registry/cosign.ts';
import { createHelmRepository, type ChartPlace, type HelmRepository } from '../registry/helm-repository.ts';
import { createIndexCache } from '../registry/index-cache.ts';
import type { RegistryLimits } from '../registry/limits.ts';
import { OCI_SCHEME, parseReference } from '../registry/reference.ts';
import { createRegistryClient, type RegistryClient } from '../registry/registry-client.ts';
import { createTokens, type ArtifactPlace } from '../registry/tokens.ts';
import { readAll } from '../registry/web.ts';
import { fetchArtifact, type ArtifactFetcherOptions, type OpenArtifact } from './fetch-artifact.ts';
import type { Lookup, LookupOptions, Origin, SnapshotRequest, SourceAt } from './origin.ts';
import { runChartIndexJob } from './packs/archive-job.ts';
import type { SourcePlace } from './ports.ts';
import type { NameKey } from './repository.ts';
import { parseRepositoryUrl } from './repository-url.ts';
import { nameOfRevision, resolvedDigest, type ResolvedRevision } from './revision.ts';
import type { ChartVerification } from './signatures/chart-verification.ts';
import type { CommitAbout } from './snapshot.ts';
import type { WebClient } from './transport/web-client.ts';
import { createProvenanceVerifier, type Provenance, type ProvenanceVerifier } from './verify-provenance.ts';

/** The settings of the agent about registries. */
export interface RegistrySettings {
  /** Hosts beside those of a registry's own domain that may give tokens for it: `host` or `*.host`. */
  readonly tokenHosts: readonly string[];
  /** Registries, as `host` or `host:port`, that speak http. */
  readonly plainHttpHosts: readonly string[];
}

export interface ArtifactOriginOptions extends Omit<ArtifactFetcherOptions, 'registryLimits'> {
  readonly dataDir: string;
  readonly nameKey: NameKey;
  readonly registry: RegistrySettings & { readonly limits: RegistryLimits };
  /** Closed with it. */
  readonly web: WebClient;
}

interface Parts {
  readonly options: ArtifactOriginOptions;
  readonly fetching: ArtifactFetcherOptions;
  readonly client: RegistryClient;
  readonly helm: HelmRepository;
  readonly provenances: ProvenanceVerifier;
}

export function createArtifactOrigin(options: ArtifactOriginOptions): Origin {
  const { dataDir, web, clock, registry } = options;
  const { limits, tokenHosts } = registry;
  const tokens = createTokens({ web, limits, clock, tokenHosts });
  const indexes = createIndexCache({ dir: join(dataDir, INDEXES), limits, clock });
  const parts: Parts = {
    options,
    fetching: { ...options, registryLimits: limits },
    client: createRegistryClient({ web, tokens, limits }),
    helm: createHelmRepository({ web, indexes, limits }),
    provenances: createProvenanceVerifier(options),
  };
  return {
    at: (place) => (place.repoUrl.startsWith(OCI_SCHEME) ? registryAt(parts, place) : helmRepositoryAt(parts, place)),
    close: () => web.close(),
  };
}

/** The folder of the indexes of Helm repositories, beside those of the snapshots. */
const INDEXES = 'indexes';

function registryAt(parts: Parts, place: SourcePlace): SourceAt {
  const { options, fetching, client } = parts;
  const { nameKey, registry } = options;
  const { repoUrl, chart, credential } = place;
  const demanded = artifactOnly(place);
  const verification = demanded?.provider === 'cosign' ? demanded : undefined;
  const reference = parseReference(repoUrl, { chart, plainHttpHosts: registry.plainHttpHosts });
  const { label } = reference;
  const key = nameKey(JSON.stringify([label, verification?.keys ?? []]), credential);
  const at: ArtifactPlace = { ...reference, credential, key };
  const isChart = chart !== undefined;

  async function open(digest: string, signal: AbortSignal): Promise<OpenArtifact> {
    const found = await client.findManifest(at, digest, signal);
    if (!found) throw gone(label, digest);
    if (verification) await verify(verification, digest, signal);
    const manifest = readManifest(found, label);
    const { limits } = registry;
    const { layer, isChart: stripsFolder } = contentOf(manifest, { label, isChart }, limits);
    const bounds = { maxBytes: limits.maxArchiveBytes, maxBytesName: 'maxArchiveBytes', signal };
    return { body: client.blob(at, layer, bounds), stripsFolder, about: aboutOf(manifest) };
  }

  const verify = (keys: Verification, digest: string, signal: AbortSignal) =>
    verifyCosign({ registry: client, place: at, digest, verification: keys, limits: registry.limits, signal });

  return {
    key,
    label,
    credential,
    lookup: (revision) =>
      lookupOf(readWanted(revision, isChart), ({ signal }, wanted) => find(client, at, wanted, signal)),
    fetch: (request) => fetchAt(fetching, { key, label }, request, open),
    ...signed(parts, { key, label, chart: reference.name.split('/').at(-1) ?? '', demanded }, (digest, { signal }) =>
      provenanceIn({ client, limits: registry.limits, place: at, digest, signal }),
    ),
  };
}

function artifactOnly({ repoUrl, verification }: SourcePlace): Verification | ChartVerification | undefined {
  if (verification?.provider !== 'git') return verification;
  throw sourceError(
    'SignatureUnsupported',
    `${cleanText(repoUrl)} is no Git repository, and verify.mode is about commits and tags. Use verify.provider: helm for a chart, or cosign with an oci:// address.`,
  );
}

interface SignedPlace {
  readonly key: string;
  readonly label: string;
  /** Name of the chart, as its Chart.yaml has it. */
  readonly chart: string;
  readonly demanded: Verification | ChartVerification | undefined;
}

type BringProvenance = (
  digest: string,
  options: { readonly tenant: string; readonly signal: AbortSignal },
) => Promise<Provenance | undefined>;

/** The check of provenance files, if they are demanded; `bring` gets the digest of the artifact. */
function signed(
  { provenances }: Parts,
  { key, label, chart, demanded }: SignedPlace,
  bring: BringProvenance,
): Pick<SourceAt, 'verify'> {
  if (demanded?.provider !== 'helm') return {};
  return {
    verify(stored, { resolved, tenant, signal, mayAsk }) {
      const name = nameOfRevision(resolved.revision);
      const asked = { name: chart, version: isVersion(name) ? name : undefined };
      const ask = (joined: AbortSignal) => bring(`sha256:${stored.commit}`, { tenant, signal: joined });
      return provenances.verify({
        ...{ stored, key, label, verification: demanded, asked, tenant, signal, mayAsk },
        bring: ask,
      });
    },
  };
}

interface LayerQuestion {
  readonly client: RegistryClient;
  readonly limits: RegistryLimits;
  readonly place: ArtifactPlace;
  /** The digest of the manifest. */
  readonly digest: string;
  readonly signal: AbortSignal;
}

/** The layer of `helm push`. undefined: the chart has none. Throws StageError. */
async function provenanceIn({ client, limits, place, digest, signal }: LayerQuestion): Promise<Provenance | undefined> {
  const { label } = place;
  const found = await client.findManifest(place, digest, signal);
  if (!found) throw gone(label, digest);
  const { layers } = readManifest(found, label);
  const archive = layers.find(({ mediaType }) => mediaType === CHART_TYPE);
  if (!archive) {
    throw sourceError(
      'SignatureUnsupported',
      `${label} holds no Helm chart, and verify.provider helm is about charts. Use verify.provider: cosign.`,
    );
  }
  const layer = layers.find(({ mediaType }) => mediaType === PROVENANCE_TYPE);
  if (!layer) return undefined;
  const bounds = { maxBytes: limits.maxSignatureBytes, maxBytesName: 'maxSignatureBytes', signal };
  const bytes = await readAll({ body: client.blob(place, layer, bounds) });
  return { archiveDigest: archive.digest, provenance: bytes.toString('utf8') };
}

async function find(
  client: RegistryClient,
  place: ArtifactPlace,
  wanted: ArtifactRevision,
  signal: AbortSignal,
): Promise<ResolvedRevision> {
  if (wanted.type === 'digest') return resolvedDigest(wanted.digest);
  if (wanted.type === 'name') {
    return resolvedDigest(await client.digestOf(place, tagOf(wanted.name), signal), wanted.name);
  }
  const versions = (await client.tags(place, signal)).map((tag) => tag.replaceAll('_', '+'));
  const newest = newestIn(versions, (version) => version, wanted.range);
  if (newest !== undefined) return resolvedDigest(await client.digestOf(place, tagOf(newest), signal), newest);
  throw sourceError(
    'RevisionNotFound',
    `${place.label} has no tag in the range ${JSON.stringify(cleanText(wanted.range.text, 120))}. Check spec.source.revision. A pre-release needs a range such as >=0.0.0-0.`,
  );
}

/** A tag cannot hold the plus sign of a version. */
function tagOf(version: string): string {
  return version.replaceAll('+', '_');
}

function helmRepositoryAt(parts: Parts, place: SourcePlace): SourceAt {
  const { options, fetching, helm } = parts;
  const { nameKey, sandbox, registry } = options;
  const { repoUrl, chart = '', credential } = place;
  const demanded = artifactOnly(place);
  if (demanded?.provider === 'cosign') {
    throw sourceError(
      'UnsupportedArtifact',
      `spec.source.verify with cosign works for oci:// addresses, and ${cleanText(repoUrl)} is a Helm repository. Use the chart from a registry, or provider helm.`,
    );
  }
  const { base } = parseRepositoryUrl(repoUrl);
  const label = `the chart ${cleanText(chart, 100)} of ${base}`;
  const key = nameKey(JSON.stringify(['chart', base, chart]), credential);
  const indexKey = nameKey(JSON.stringify(['index', base]), credential);
  const at: ChartPlace = { base, chart, label, credential, indexKey };

  const findVersion = (wanted: ArtifactRevision, { tenant, notBeforeMs, signal }: LookupOptions) => {
    const { limits } = registry;
    const input = { chart, label: base, limits };
    const read = (path: string): Promise<readonly ListedVersion[] | undefined> =>
      runChartIndexJob(sandbox, { path, ...input }, { tenant, deadlineMs: limits.readTimeoutMs, signal });
    return helm.find(at, wanted, { read, notBeforeMs, signal });
  };

  return {
    key,
    label,
    credential,
    lookup: (revision) =>
      lookupOf(readWanted(revision, true), async (lookup, wanted) => {
        const { digest, version } = await findVersion(wanted, lookup);
        return resolvedDigest(digest, version);
      }),
    fetch: (request) =>
      fetchAt(fetching, { key, label }, request, async (digest, signal) => {
        const wanted = { type: 'digest', digest } as const;
        const found = await findVersion(wanted, { tenant: request.tenant, notBeforeMs: undefined, signal });
        if (found.isDeprecated) options.log.warn('the chart is deprecated', { chart: label, version: found.version });
        return { body: helm.download(at, found, signal), stripsFolder: true, about: aboutOfVersion(chart, found) };
      }),
    ...signed(parts, { key, label, chart, demanded }, async (digest, { tenant, signal }) => {
      const found = await findVersion({ type: 'digest', digest }, { tenant, notBeforeMs: undefined, signal });
      const bytes = await helm.provenance(at, found, signal);
      return bytes && { archiveDigest: digest, provenance: bytes.toString('utf8') };
    }),
  };
}

function fetchAt(
  fetching: ArtifactFetcherOptions,
  named: { readonly key: string; readonly label: string },
  { resolved: { commit }, tenant, signal }: SnapshotRequest,
  open: (digest: string, signal: AbortSignal) => Promise<OpenArtifact>,
) {
  return fetchArtifact(fetching, { ...named, commit, tenant, signal, open: () => open(`sha256:${commit}`, signal) });
}

function readWanted(revision: string | undefined, isChart: boolean): ArtifactRevision {
  const wanted = readArtifactRevision(revision ?? '', isChart);
  if (wanted) return wanted;
  throw sourceError(
    'InvalidRevision',
    `${JSON.stringify((revision ?? '').slice(0, 80))} is no version, tag, digest or range of versions. Write a range as semver:>=1.2.0 <2.0.0.`,
  );
}

function lookupOf(
  wanted: ArtifactRevision,
  run: (options: LookupOptions, wanted: ArtifactRevision) => Promise<ResolvedRevision>,
): Lookup {
  const text = wanted.type === 'range' ? wanted.range.text : wanted.type === 'digest' ? wanted.digest : wanted.name;
  return { key: `${wanted.type} ${text}`, run: (options) => run(options, wanted) };
}

/** Reads the annotations of `flux push artifact` and other tools about the commit that an artifact was made of. */
function aboutOf({ annotations }: ArtifactManifest): CommitAbout {
  const read = (name: string): string | undefined => annotations[`org.opencontainers.image.${name}`];
  const [revision, title, version] = [read('revision'), read('title'), read('version')];
  const subject = revision ?? (title === undefined ? undefined : [title, version].join(' ').trim());
  return { ...subjectOf(subject), ...dateOf(read('created')) };
}

function aboutOfVersion(chart: string, { version, isDeprecated, created }: ListedVersion): CommitAbout {
  return { ...subjectOf(`${chart} ${version}${isDeprecated ? ' (deprecated)' : ''}`), ...dateOf(created) };
}

const MAX_SUBJECT_CHARS = 200;

function subjectOf(text: string | undefined): Pick<CommitAbout, 'subject'> {
  const subject = printable(text ?? '').slice(0, MAX_SUBJECT_CHARS);
  return subject === '' ? {} : { subject };
}

function dateOf(text: string | undefined): Pick<CommitAbout, 'date'> {
  const ms = text === undefined || text.length > 64 ? NaN : Date.parse(text);
  const isWritable = ms > 0 && ms < 253_402_300_800_000;
  return isWritable ? { date: new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z') } : {};
}

function gone(label: string, digest: string): Error {
  return sourceError(
    'RevisionNotFound',
    `${label} has no manifest ${digest}. Check spec.source.revision, and whether the registry has removed it.`,
  );
}
