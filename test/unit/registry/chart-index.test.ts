import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readChartIndex } from '../../../src/registry/chart-index.ts';
import { defaultRegistryLimits } from '../../../src/registry/limits.ts';

const HEX = 'b'.repeat(64);

const read = (text: string, chart = 'web', limits = defaultRegistryLimits) =>
  readChartIndex(text, { chart, label: 'https://charts.example', limits });

const WEB = [{ version: '1.10', digest: `sha256:${HEX}`, urls: ['a.tgz'], isDeprecated: true, created: '2026' }];

test('the versions of one chart are read from every form that an index has', () => {
  const entry = `version: "1.10"\n    urls: [a.tgz]\n    digest: ${HEX}\n    deprecated: true\n    created: "2026"`;
  const other = '    description: |\n      web:\n      - version: 9.9.9\n    version: 2.0.0\n';
  const forms = {
    'as helm writes it': `apiVersion: v1\nentries:\n  db:\n  - name: db\n${other}  web:\n  - ${entry}\n  zoo:\n  - name: z\n${other}`,
    'with the list further to the right': `entries:\n  web:\n    - ${entry.replaceAll('\n', '\n  ')}\ngenerated: "2026"\n`,
    'with names in quotes': `entries:\n  'db': []\n  "web":\n  - ${entry}\n`,
    'with comments and blank lines': `# an index\nentries: # all of them\n\n# a comment\n  web:\n# another one\n  - ${entry}\n`,
    'with carriage returns': `entries:\n  web:\n  - ${entry}\n`.replaceAll('\n', '\r\n'),
    'in flow style': `entries: {db: [], web: [{version: "1.10", urls: [a.tgz], digest: ${HEX}, deprecated: true, created: "2026"}]}\n`,
    'in JSON': JSON.stringify({
      entries: { web: [{ version: '1.10', urls: ['a.tgz'], digest: HEX, deprecated: true, created: '2026' }] },
    }),
  };
  for (const [form, text] of Object.entries(forms)) assert.deepEqual(read(text), WEB, form);
});

test('a chart that the index does not know has no versions', () => {
  assert.equal(read('entries:\n  db:\n  - version: 1.0.0\n'), undefined);
  assert.equal(read('entries: {}\n'), undefined);
  assert.equal(read('entries:\n  webserver:\n  - version: 1.0.0\n'), undefined);
  assert.equal(read('entries:\n  db:\n  - version: 1.0.0\nweb:\n  - version: 2.0.0\n'), undefined);
});

test('entries without a version and digests of another form are left out', () => {
  const text =
    'entries:\n  web:\n  - name: web\n  - version: 1.0.0\n    digest: md5:abc\n  - version: [1]\n  - plain\n';
  const [found, ...rest] = read(text) ?? [];
  assert.deepEqual(rest, []);
  assert.deepEqual([found?.version, found?.digest, found?.urls], ['1.0.0', undefined, []]);
});

test('texts that are no index, and indexes with too many versions, are refused', () => {
  for (const text of ['', 'plain', '[1]', 'apiVersion: v1\n', 'entries:\n  web:\n  - version: "1\n']) {
    assert.throws(() => read(text), { code: 'MalformedAnswer' }, text);
  }
  const many = `entries:\n  web:\n${'  - version: 1.0.0\n'.repeat(50)}`;
  assert.throws(() => read(many, 'web', { ...defaultRegistryLimits, maxChartVersions: 49 }), { code: 'TooLarge' });
});

test('the part of one chart is the same as in the whole index', () => {
  const names = fc.uniqueArray(fc.constantFrom('a', 'web', 'a-b', 'w', 'x.y', 'Z'), { maxLength: 6, size: 'max' });
  const notes = fc.constantFrom('one', 'a: b', '# no comment', "it's", '- x', '', '{', '"');
  const property = fc.property(names, fc.array(notes, { maxLength: 4, size: 'max' }), (charts, texts) => {
    const entries = Object.fromEntries(
      charts.map((name, at) => [
        name,
        texts.map((description, patch) => ({ version: `${at}.0.${patch}`, urls: [`${name}.tgz`], description })),
      ]),
    );
    const lines = Object.entries(entries).map(([name, list]) => {
      const items = list.map(
        ({ version, urls, description }) =>
          `  - description: ${JSON.stringify(description)}\n    urls:\n    - ${urls[0]}\n    version: ${version}\n`,
      );
      return `  ${name}:${list.length === 0 ? ' []' : ''}\n${items.join('')}`;
    });
    const block = `apiVersion: v1\nentries:${charts.length === 0 ? ' {}' : ''}\n${lines.join('')}`;
    for (const chart of ['web', 'a', 'nothing']) {
      assert.deepEqual(read(block, chart), read(JSON.stringify({ entries }), chart));
    }
  });
  fc.assert(property);
});

test('reading one chart costs one look at each line of a large index', () => {
  const entry = `  - annotations:\n      note: "${'x'.repeat(150)}"\n    version: 1.0.0\n    digest: ${HEX}\n`;
  const text = `entries:\n  db:\n${entry.repeat(60_000)}  web:\n${entry.repeat(2)}`;
  assert.equal(read(text)?.length, 2);
});
