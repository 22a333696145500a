import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { buildEditorSchema } from '../../../src/application/editor-schema.ts';

const ROOT = join(import.meta.dirname, '../../..');
const schema = z.fromJSONSchema(buildEditorSchema() as Parameters<typeof z.fromJSONSchema>[0]);

interface Found {
  readonly kind?: string;
}

/** The Applications of the examples, and of the blocks of YAML of the pages. */
function* publishedApplications(): Generator<readonly [place: string, application: unknown]> {
  for (const path of globSync(['examples/**/*.yaml', 'docs/**/*.md', 'README.md'], { cwd: ROOT })) {
    const text = readFileSync(join(ROOT, path), 'utf8');
    const blocks = path.endsWith('.md')
      ? [...text.matchAll(/^```yaml\n(.*?)^```/gms)].map(([, block]) => block ?? '')
      : [text];
    for (const block of blocks) {
      for (const document of parseAllDocuments(block)) {
        const value: unknown = 'toJS' in document ? document.toJS() : undefined;
        const isOurs = block.includes('tautline.dev/v1alpha1') && (value as Found | null)?.kind === 'Application';
        if (isOurs) yield [path, value];
      }
    }
  }
}

test('editors accept every Application of the examples and of the pages', () => {
  const all = [...publishedApplications()];
  assert.ok(all.length > 20, String(all.length));
  const refused = all.flatMap(([place, application]) => {
    const { error } = schema.safeParse(application);
    return error ? [`${place}: ${z.prettifyError(error)} ${JSON.stringify(application)}`] : [];
  });
  assert.deepEqual(refused, []);
});

const GOOD = {
  apiVersion: 'tautline.dev/v1alpha1',
  kind: 'Application',
  metadata: { name: 'shop' },
  spec: { source: { repoURL: 'https://git.example.com/team/shop.git' } },
};
const REFUSED: Readonly<Record<string, object>> = {
  'a misspelt field of the spec': { ...GOOD, spec: { ...GOOD.spec, suspended: true } },
  'a misspelt field deep inside': { ...GOOD, spec: { ...GOOD.spec, sync: { prunes: true } } },
  'a value that is not one of the list': { ...GOOD, spec: { ...GOOD.spec, sync: { mode: 'automatic' } } },
  'a value of another type': { ...GOOD, spec: { ...GOOD.spec, suspend: 'yes' } },
  'a spec without a source': { ...GOOD, spec: {} },
  'another kind': { ...GOOD, kind: 'Applications' },
  'a name that is missing': { ...GOOD, metadata: {} },
};

for (const [name, application] of Object.entries(REFUSED)) {
  test(`editors refuse ${name}`, () => {
    assert.equal(schema.safeParse(GOOD).success, true);
    assert.equal(schema.safeParse(application).success, false);
  });
}
