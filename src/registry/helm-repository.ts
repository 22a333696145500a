/**
 * Charts of a Helm repository: a web server with an index.yaml that lists versions and their archives.
 *
 * Invariants: an archive has the digest that the index names, or it is refused. The credential is sent only to the
 * origin of the repository's address.
 */
import { newestIn } from '../application/version-range.ts';
import type { ArtifactRevision } from '../application/artifact-revision.ts';
import { cleanText } from '../object/printable.ts';
import { sourceError } from '../object/source-error.ts';
import type { Credential } from '../source/credential.ts';
import type { ListedVersion } from './chart-index.ts';
import type { IndexCache } from './index-cache.ts';
import type { RegistryLimits } from './limits.ts';
import { checked } from './registry-client.ts';
import { statusError } from './status-error.ts';
import { authorizationOf } from './tokens.ts';
import { readAll, type Web, type WebAnswer, type WebRequest } from './web.ts';

export interface HelmRepository {
  /** Throws StageError ChartNotFound, RevisionNotFound and others. */
  find(place: ChartPlace, wanted: ArtifactRevision, ask: IndexAsk): Promise<FoundVersion>;
  /** The bytes of the archive. Ends with an error if its digest is not that of the index. */
  download(place: ChartPlace, found: FoundVersion, signal: AbortSignal): AsyncIterable<Buffer>;
  /** The provenance file beside the archive. undefined: there is none. Throws StageError. */
  provenance(place: ChartPlace, found: FoundVersion, signal: AbortSignal): Promise<Buffer | undefined>;
}

export interface ChartPlace {
  /** Address of the repository without a slash at the end. */
  readonly base: string;
  readonly chart: string;
  /** Names repository and chart in messages. */
  readonly label: string;
  readonly credential: Credential | undefined;
  /** The same for all charts of the repository with the same credential. */
  readonly indexKey: string;
}

export interface IndexAsk {
  /** Reads the index on disk, in the sandbox. */
  readonly read: (path: string) => Promise<readonly ListedVersion[] | undefined>;
  /** Monotonic; an index that was asked for earlier is no answer. */
  readonly notBeforeMs: number | undefined;
  readonly signal: AbortSignal;
}

/** A version that can be fetched. */
export interface FoundVersion extends ListedVersion {
  readonly digest: string;
}

export interface HelmRepositoryOptions {
  readonly web: Web;
  readonly indexes: IndexCache;
  readonly limits: RegistryLimits;
}

interface Sending extends Pick<WebRequest, 'headers' | 'maxBytes' | 'maxBytesName' | 'signal'> {
  /** Whether the answer that there is no such file is no error. */
  readonly mayLack?: boolean;
}

export function createHelmRepository({ web, indexes, limits }: HelmRepositoryOptions): HelmRepository {
  function requestOf(url: string, { base, label, credential }: ChartPlace) {
    const login = new URL(url).origin === new URL(base).origin ? credential?.login : undefined;
    const request = {
      method: 'GET',
      url,
      authorization: login && authorizationOf(login),
      credential,
      label,
      redirects: 'anywhere',
      timeoutMs: limits.downloadTimeoutMs,
    } as const;
    return { request, secret: login && credential?.secret };
  }

  async function send(url: string, place: ChartPlace, { mayLack = false, ...rest }: Sending): Promise<WebAnswer> {
    const { request, secret } = requestOf(url, place);
    const answer = await web.send({ ...request, ...rest });
    const isUnchanged = answer.status === 304 && Object.keys(rest.headers ?? {}).length > 0;
    if (answer.status === 200 || isUnchanged || (mayLack && isAbsent(answer))) return answer;
    throw await statusError(answer, { label: place.label, secret });
  }

  return {
    async find(place, wanted, { read, notBeforeMs, signal }) {
      const { base, chart, indexKey: key } = place;
      const bounds = { maxBytes: limits.maxIndexBytes, maxBytesName: 'maxIndexBytes', signal };
      const request = (headers: Readonly<Record<string, string>>) =>
        send(`${base}/index.yaml`, place, { headers, ...bounds });
      const versions = await indexes.versionsOf({ key, chart, request, read, notBeforeMs });
      if (!versions || versions.length === 0) throw chartNotFound(place);
      return usable(versionOf(versions, wanted) ?? missing(place, wanted, versions), place);
    },
    async *download(place, found, signal) {
      const bounds = { maxBytes: limits.maxArchiveBytes, maxBytesName: 'maxArchiveBytes', signal };
      const answer = await send(archiveUrl(found, place), place, bounds);
      yield* checked(answer.body, {
        digest: found.digest,
        what: `version ${cleanText(found.version)}`,
        label: place.label,
      });
    },
    async provenance(place, found, signal) {
      const bounds = { maxBytes: limits.maxSignatureBytes, maxBytesName: 'maxSignatureBytes', signal };
      const answer = await send(`${archiveUrl(found, place)}.prov`, place, { ...bounds, mayLack: true });
      if (answer.status === 200) return readAll(answer);
      answer.discard();
      return undefined;
    },
  };
}

function isAbsent({ status }: WebAnswer): boolean {
  return status === 404 || status === 410;
}

/** A version by its text; `1.2.3` also stands for `v1.2.3`, as in Helm. */
function versionOf(versions: readonly ListedVersion[], wanted: ArtifactRevision): ListedVersion | undefined {
  if (wanted.type === 'digest') return versions.find(({ digest }) => digest === wanted.digest);
  if (wanted.type === 'range') return newestIn(versions, ({ version }) => version, wanted.range);
  const bare = wanted.name.replace(/^v/, '');
  return (
    versions.find(({ version }) => version === wanted.name) ??
    versions.find(({ version }) => version.replace(/^v/, '') === bare)
  );
}

function chartNotFound({ base, chart }: ChartPlace): Error {
  return sourceError(
    'ChartNotFound',
    `The repository ${base} has no chart ${JSON.stringify(cleanText(chart))}. Check spec.source.chart and repoURL.`,
  );
}

function missing({ label }: ChartPlace, wanted: ArtifactRevision, versions: readonly ListedVersion[]): never {
  const listed = versions
    .slice(0, 3)
    .map(({ version }) => cleanText(version, 40))
    .join(', ');
  const [what, hint] =
    wanted.type === 'range'
      ? [`in the range ${JSON.stringify(wanted.range.text)}`, ' A pre-release needs a range such as >=0.0.0-0.']
      : [JSON.stringify(cleanText(wanted.type === 'digest' ? wanted.digest : wanted.name)), ''];
  throw sourceError(
    'RevisionNotFound',
    `${label} has no version ${what}. The index begins with ${listed}. Check spec.source.revision.${hint}`,
  );
}

function usable(found: ListedVersion, { label }: ChartPlace): FoundVersion {
  const { version, digest } = found;
  if (digest !== undefined) return { ...found, digest };
  throw sourceError(
    'UnsupportedArtifact',
    `The index names no digest of ${label} ${cleanText(version)}, so its archive cannot be checked. Make the index again with helm repo index.`,
  );
}

function archiveUrl({ version, urls }: FoundVersion, { base, label }: ChartPlace): string {
  const candidates = urls.map((url) => URL.parse(url, `${base}/`));
  const found = candidates.find((url) => url?.protocol === 'https:' || url?.protocol === 'http:');
  if (found && !found.username && !found.password) return found.href;
  const oci = urls.find((url) => url.startsWith('oci://'));
  const advice =
    oci === undefined
      ? 'Make the index again with helm repo index.'
      : `Use the registry itself as spec.source.repoURL (${cleanText(oci)}).`;
  throw sourceError(
    'UnsupportedArtifact',
    `The index names no https or http address for ${label} ${cleanText(version)}. ${advice}`,
  );
}
