import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isNamedByRevision, readArtifactRevision } from '../../../src/application/artifact-revision.ts';
import { isVersion, newestIn, readRange } from '../../../src/application/version-range.ts';

const HEX = 'a'.repeat(64);

test('a revision is a digest, a name or a range, of charts and of artifacts', () => {
  const shown = (text: string, isChart: boolean): string => {
    const read = readArtifactRevision(text, isChart);
    if (!read) return 'none';
    return read.type === 'range' ? `range ${read.range.text}` : read.type === 'digest' ? 'digest' : `name ${read.name}`;
  };
  const table: [string, string, string][] = [
    ['HEAD', 'range *', 'name latest'],
    [`sha256:${HEX}`, 'digest', 'digest'],
    [HEX, 'digest', 'digest'],
    ['1.2.3', 'name 1.2.3', 'name 1.2.3'],
    ['v1.2.3+b', 'name v1.2.3+b', 'name v1.2.3+b'],
    ['1.x', 'range 1.x', 'name 1.x'],
    ['^1.2', 'range ^1.2', 'none'],
    ['semver:^1.2', 'range ^1.2', 'range ^1.2'],
    ['>=1.0.0, <2.0.0', 'range >=1.0.0, <2.0.0', 'none'],
    ['stable', 'name stable', 'name stable'],
    ['semver:', 'none', 'none'],
    ['semver:!=1.2.3', 'none', 'none'],
    ['-x', 'none', 'none'],
    ['a b', 'none', 'none'],
  ];
  for (const [text, ofChart, ofArtifact] of table) {
    assert.equal(shown(text, true), ofChart, text);
    assert.equal(shown(text, false), ofArtifact, text);
  }
});

test('ranges hold the versions that they hold for Helm, Flux and Argo CD', () => {
  const table: [string, readonly string[], readonly string[]][] = [
    ['*', ['1.0.0', 'v2.3.4'], ['1.0.0-rc.1', '1.0', 'latest', ' 1.0.0']],
    ['>=1.0.0-0', ['1.0.0-rc.1', '2.0.0-alpha', '3.0.0'], ['0.9.0']],
    ['^1.2.3-beta.2', ['1.2.3-beta.3', '1.3.0', '1.4.0-rc.1'], ['2.0.0', '1.2.3-beta.1']],
    ['>=1.2.0, <2.0.0', ['1.2.0', '1.9.9+x'], ['2.0.0', '1.1.0']],
    ['1.2 - 1.4', ['1.4.9', '1.2.0'], ['1.5.0']],
    ['~1.2 || 3.x', ['1.2.9', '3.0.0'], ['1.3.0', '2.0.0']],
  ];
  for (const [text, inside, outside] of table) {
    const range = readRange(text);
    for (const version of inside) assert.equal(range?.matches(version), true, `${version} in ${text}`);
    for (const version of outside) assert.equal(range?.matches(version), false, `${version} in ${text}`);
  }
  for (const text of ['', ' ', '!=1.2.3', '=>1.0.0', '1.0.0 || '.repeat(40)]) {
    assert.equal(readRange(text), undefined, text);
  }
});

const part = fc.nat({ max: 12 });
const versions = fc
  .tuple(part, part, part, fc.constantFrom('', '-rc.1', '+b.1', '-alpha'), fc.constantFrom('', 'v'))
  .map(([major, minor, patch, rest, prefix]) => `${prefix}${major}.${minor}.${patch}${rest}`);

test('the newest version of a list does not depend on its order, and is in the range', () => {
  const range = readRange('>=2.0.0-0');
  assert.ok(range);
  const property = fc.property(fc.array(versions, { maxLength: 30, size: 'max' }), (list) => {
    const newest = newestIn(list, (version) => version, range);
    assert.equal(
      newestIn(list.toReversed(), (version) => version, range),
      newest,
    );
    assert.equal(
      newestIn(list.toSorted(), (version) => version, range),
      newest,
    );
    assert.equal(newest === undefined, !list.some((version) => range.matches(version)));
    if (newest !== undefined) assert.ok(isVersion(newest) && range.matches(newest));
  });
  fc.assert(property);
});

test('a resolved revision is known again by the revision of the spec that it was found by', () => {
  const isNamed = (name: string, text: string, isChart: boolean): boolean =>
    isNamedByRevision({ name, digest: `sha256:${HEX}` }, readArtifactRevision(text, isChart));
  assert.equal(isNamed('1.4.0', '1.x', true), true);
  assert.equal(isNamed('2.4.0', '1.x', true), false);
  assert.equal(isNamed('latest', 'HEAD', false), true);
  assert.equal(isNamed('1.4.0', '1.4.0', false), true);
  assert.equal(isNamed(`sha256:${HEX}`, HEX, false), true);
  assert.equal(isNamed('1.4.0', 'semver:', false), false);
});
