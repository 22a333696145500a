/**
 * Versions and ranges of versions, read as Helm, Flux and Argo CD read them: a version has three parts and may begin
 * with `v`; commas in a range mean the same as blanks; a range that names a pre-release admits pre-releases.
 */
import semver from 'semver';

export interface VersionRange {
  readonly text: string;
  /** Whether a version lies in the range; false for a text that is no version. */
  matches(version: string): boolean;
}

const MAX_RANGE_CHARS = 256;
const VERSION = /^v?\d+\.\d+\.\d+/;
const PRERELEASE = /\d+\.\d+\.\d+-[0-9A-Za-z]/;

export function isVersion(text: string): boolean {
  return VERSION.test(text) && semver.valid(text) !== null;
}

/** undefined: the text is no range that npm's semver reads, such as `!=1.2.3`, or it is empty. */
export function readRange(text: string): VersionRange | undefined {
  const range = text.trim();
  if (range === '' || range.length > MAX_RANGE_CHARS) return undefined;
  const usable = [range, range.replaceAll(',', ' ')].find((candidate) => semver.validRange(candidate) !== null);
  if (usable === undefined) return undefined;
  const parsed = new semver.Range(usable, { includePrerelease: PRERELEASE.test(usable) });
  return { text: range, matches: (version) => isVersion(version) && parsed.test(version) };
}

const REVISION_PREFIX = 'semver:';

/** The range of a revision in the form `semver:<range>`; undefined for any other text. */
export function rangeOfRevision(revision: string): VersionRange | undefined {
  return revision.startsWith(REVISION_PREFIX) ? readRange(revision.slice(REVISION_PREFIX.length)) : undefined;
}

/** The item of the newest version in the range; equal versions are ordered by their build, then by their name. */
export function newestIn<T>(
  items: Iterable<T>,
  versionOf: (item: T) => string,
  range: Pick<VersionRange, 'matches'>,
): T | undefined {
  let newest: T | undefined;
  for (const item of items) {
    const version = versionOf(item);
    if (!range.matches(version)) continue;
    if (newest === undefined || compareVersions(version, versionOf(newest)) > 0) newest = item;
  }
  return newest;
}

/** Positive if the first one is newer. */
function compareVersions(one: string, other: string): number {
  return semver.compareBuild(one, other) || (one < other ? -1 : one > other ? 1 : 0);
}
