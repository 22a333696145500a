import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { parseApplication } from '../../../src/application/parse.ts';
import { ERROR_CODES } from '../../../src/object/error-code.ts';
import { isKubeObject, type Value } from '../../../src/object/value.ts';

const page = readFileSync(new URL('../../../docs/spec/application.md', import.meta.url), 'utf8');
const read = (path: string): string => readFileSync(new URL(`../../../src/${path}`, import.meta.url), 'utf8');
const named = new Set([...page.matchAll(/^\| `(\w+)`/gm)].map(([, word]) => word));

function assertNamed(words: Iterable<string | undefined>): void {
  assert.deepEqual(
    [...words].filter((word) => word === undefined || !named.has(word)),
    [],
  );
}

test('every example of docs/spec/application.md is a valid Application', () => {
  const examples = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) => text ?? '');
  assert.ok(examples.length >= 4);
  for (const text of examples) {
    for (const document of parseAllDocuments(text)) {
      const value = document.toJS() as Value;
      assert.ok(isKubeObject(value), text);
      const parsed = parseApplication(value);
      assert.ok(parsed.ok, parsed.ok ? '' : parsed.problems.join('; '));
    }
  }
});

test('docs/spec/application.md names every reason of a condition', () => {
  const files = readdirSync(new URL('../../../src/status', import.meta.url));
  const reasons = files.flatMap((file) =>
    [...read(`status/${file}`).matchAll(/reason: '(\w+)'/g)].map(([, reason]) => reason),
  );
  assert.ok(reasons.length > 5);
  assertNamed(reasons);
  const byStage = /REASON_BY_STAGE[^{]*\{([^}]*)\}/.exec(read('status/verdict.ts'))?.[1] ?? '';
  assertNamed([...byStage.matchAll(/'(\w+)'/g)].map(([, reason]) => reason));
});

test('docs/spec/application.md names every code of a problem and of the source', () => {
  const problems = /export type ProblemCode =([\s\S]*?);/.exec(read('object/problem.ts'))?.[1] ?? '';
  assertNamed([...problems.matchAll(/'(\w+)'/g)].map(([, code]) => code));
  assertNamed(ERROR_CODES.source);
});

test('docs/spec/application.md names every field of the table of fields', () => {
  const fields = readFileSync(new URL('../../../docs/spec/application-fields.md', import.meta.url), 'utf8');
  for (const [, field = ''] of fields.matchAll(/^\| `spec\.[\w.]*?(\w+)` \|/gm)) {
    assert.match(page, new RegExp(`\\b${field}\\b`), field);
  }
});
