/**
 * `spec.source.revision` of a chart and of an OCI artifact: a version, a tag, a digest, or a range of versions.
 *
 * `HEAD`, the default, stands for the newest version of a chart that is no pre-release, and for the tag `latest` of an
 * artifact.
 */
import { isVersion, readRange, type VersionRange } from './version-range.ts';

/** The part of a source that tells its kind. */
export interface SourceAddress {
  readonly repoURL: string;
  readonly chart?: string | undefined;
}

export type ArtifactRevision =
  /** `sha256:` and 64 hex digits. */
  | { readonly type: 'digest'; readonly digest: string }
  | { readonly type: 'range'; readonly range: VersionRange }
  /** A tag, or a version of a chart. */
  | { readonly type: 'name'; readonly name: string };

const DIGEST = /^(?:sha256:)?([0-9a-f]{64})$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.+-]{0,127}$/;
const RANGE_PREFIX = 'semver:';

/** Whether the files of a source come out of an archive: a chart or an OCI artifact, and not a Git repository. */
export function isArtifactSource({ repoURL, chart }: SourceAddress): boolean {
  return chart !== undefined || repoURL.startsWith('oci://');
}

/** undefined: the text is none of them. */
export function readArtifactRevision(text: string, isChart: boolean): ArtifactRevision | undefined {
  if (text === 'HEAD' || text === '') return isChart ? rangeOf('*') : { type: 'name', name: 'latest' };
  const hex = DIGEST.exec(text)?.[1];
  if (hex !== undefined) return { type: 'digest', digest: `sha256:${hex}` };
  if (text.startsWith(RANGE_PREFIX)) return rangeOf(text.slice(RANGE_PREFIX.length));
  const isName = TAG.test(text);
  if (isName && (!isChart || isVersion(text))) return { type: 'name', name: text };
  // `1.x` and `latest` look alike; a range is what charts are asked for.
  const range = isChart ? rangeOf(text) : undefined;
  return range ?? (isName ? { type: 'name', name: text } : undefined);
}

/** Whether a version or tag that was resolved earlier, with its digest, is one that the revision may stand for. */
export function isNamedByRevision(
  { name, digest }: { readonly name: string; readonly digest: string },
  wanted: ArtifactRevision | undefined,
): boolean {
  if (wanted?.type === 'range') return wanted.range.matches(name);
  return wanted?.type === 'digest' ? wanted.digest === digest : wanted?.name === name;
}

function rangeOf(text: string): ArtifactRevision | undefined {
  const range = readRange(text);
  return range && { type: 'range', range };
}
