/** Texts that the page makes: YAML, comparisons, copies, times, revisions, plans and steps. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parse } from 'yaml';
import { compareObjects, hunkLines, onlyAs } from '../../../src/ui/logic/compare.ts';
import { ignoreRuleOf, patchCommandOf, valueText } from '../../../src/ui/logic/copies.ts';
import { plainLine } from '../../../src/ui/logic/log-text.ts';
import { keyOf, readKey } from '../../../src/ui/logic/object-key.ts';
import { planGroups, planSummary } from '../../../src/ui/logic/plan-groups.ts';
import { stepsOf } from '../../../src/ui/logic/progress.ts';
import { answerTo, refusalOf } from '../../../src/ui/logic/request-words.ts';
import { readRevision, shortRepository } from '../../../src/ui/logic/revision.ts';
import { exactTime, relativeTime } from '../../../src/ui/logic/time.ts';
import { yamlOf } from '../../../src/ui/logic/yaml-text.ts';

const texts = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.array(fc.string(), { maxLength: 4 }).map((lines) => lines.join('\n')),
  fc.constantFrom(
    'true',
    'null',
    '~',
    '1e3',
    '0x1f',
    ' a',
    'a ',
    '- b',
    'k: v',
    '#c',
    '2026-11-30',
    '\n',
    'a\n\n',
    '=',
    '<<',
  ),
);
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    texts,
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(texts, tie('value'), { maxKeys: 3, noNullPrototype: true }),
  ),
}));

test('a parser of YAML reads the printed values back as they were', () => {
  fc.assert(
    fc.property(value, (original) => {
      const printed = yamlOf(original);
      assert.deepEqual(parse(printed, { maxAliasCount: 0 }), JSON.parse(JSON.stringify(original)), printed);
    }),
    { numRuns: 500 },
  );
});

test('manifests are printed without quotes and with texts of several lines as blocks', () => {
  const manifest = {
    kind: 'ConfigMap',
    data: { 'a.conf': 'x 1\ny: 2\n', empty: '' },
    list: [{ name: 'a', ports: [80] }],
  };
  assert.equal(
    yamlOf(manifest),
    'kind: ConfigMap\ndata:\n  a.conf: |\n    x 1\n    y: 2\n  empty: ""\nlist:\n  - name: a\n    ports:\n      - 80\n',
  );
});

test('a comparison leaves out the fields that Git does not set, and pairs items of lists by their name', () => {
  const live = {
    spec: {
      replicas: 5,
      extra: 1,
      containers: [
        { name: 'b', image: '2', x: 1 },
        { name: 'a', image: '1' },
      ],
    },
  };
  const desired = {
    spec: {
      replicas: 2,
      containers: [
        { name: 'a', image: '1' },
        { name: 'b', image: '2' },
      ],
    },
  };
  assert.deepEqual(onlyAs(live, desired), {
    spec: {
      replicas: 5,
      containers: [
        { name: 'b', image: '2' },
        { name: 'a', image: '1' },
      ],
    },
  });
  const changed = compareObjects({ spec: { replicas: 5, extra: 1 } }, { spec: { replicas: 2 } });
  assert.deepEqual(
    changed.map(({ type, text }) => `${type} ${text.trim()}`),
    ['same spec:', 'removed replicas: 5', 'added replicas: 2'],
  );
  assert.deepEqual(compareObjects({ a: 1, b: 2 }, { a: 1 }), []);
  assert.deepEqual(
    hunkLines('@@ -1 +1 @@\n-a\n+b\n\\ No newline at end of file\n').map(({ type }) => type),
    ['gap', 'removed', 'added'],
  );
});

test('an ignore rule names the object and the fields, as spec.ignoreDifferences has them', () => {
  const rule = ignoreRuleOf({ group: 'apps', kind: 'Deployment', namespace: 'shop', name: 'web' }, [
    { path: '/spec/replicas' },
  ]);
  assert.deepEqual(parse(rule), [
    { group: 'apps', kind: 'Deployment', namespace: 'shop', name: 'web', jsonPointers: ['/spec/replicas'] },
  ]);
});

test('the command for a patch is quoted for a shell', () => {
  const object = { group: 'apps', kind: 'Deployment', namespace: 'shop', name: 'web' };
  const patch = [{ op: 'replace' as const, path: '/spec/x', value: "it's" }];
  assert.equal(
    patchCommandOf({ ...object, patch }),
    `kubectl -n shop patch deployment.apps web --type=json -p '[{"op":"replace","path":"/spec/x","value":"it'\\''s"}]'`,
  );
  assert.equal(patchCommandOf(object), undefined);
  assert.equal(valueText('x'.repeat(500)).length, 400);
  assert.equal(valueText(undefined), 'absent');
});

test('the key of an object is read back, and a name with slashes stays whole', () => {
  const object = { group: 'apps', kind: 'Deployment', namespace: '', name: 'a/b' };
  assert.deepEqual(readKey(keyOf(object)), object);
  assert.equal(readKey('apps/Deployment/shop'), undefined);
  assert.equal(readKey(''), undefined);
});

test('times are told as people say them', () => {
  const now = Date.parse('2026-11-30T12:00:00Z');
  assert.equal(relativeTime('2026-11-30T11:59:58Z', now), 'now');
  assert.equal(relativeTime('2026-11-30T11:58:30Z', now), '1 minute ago');
  assert.equal(relativeTime('2026-11-30T14:10:00Z', now), 'in 2 hours');
  assert.equal(relativeTime('2026-11-27T12:00:00Z', now), '3 days ago');
  assert.equal(relativeTime('soon', now), 'soon');
  assert.equal(exactTime('2026-11-30T13:00:00+01:00'), '2026-11-30 12:00:00 UTC');
});

test('revisions and repositories are shortened, and the whole digest stays for requests', () => {
  const digest = 'abcdef0123456789'.padEnd(40, '0');
  assert.deepEqual(readRevision(`main@sha1:${digest}`), { name: 'main', digest: 'abcdef012345', full: digest });
  assert.deepEqual(readRevision(undefined), { name: '', digest: '', full: '' });
  assert.equal(shortRepository('https://me:secret@git.example.com/a/b.git'), 'git.example.com/a/b');
});

test('a plan names deletions first', () => {
  const planned = (action: 'create' | 'prune' | 'update', name: string) => ({
    ...{ group: '', kind: 'ConfigMap', namespace: 'shop', name },
    action,
  });
  const objects = [planned('create', 'a'), planned('prune', 'b'), planned('update', 'c'), planned('prune', 'd')];
  assert.deepEqual(
    planGroups(objects).map(({ title, isDeletion, objects: members }) => [title, isDeletion, members.length]),
    [
      ['Delete', true, 2],
      ['Create', false, 1],
      ['Change', false, 1],
    ],
  );
  assert.equal(planSummary({ objects, unchanged: 3 }), '2 to delete, 1 to create, 1 to change; 3 unchanged.');
  assert.equal(planSummary({ objects: [], unchanged: 3 }), 'Nothing changes: 3 unchanged.');
});

test('a running sync is told wave by wave, in the order of phases and waves', () => {
  const member = (more: object) => ({
    sync: 'Synced' as const,
    health: { status: 'Healthy' as const, message: '' },
    pruning: false,
    ...more,
  });
  const waits = { sync: 'OutOfSync' as const, message: 'waits: Job migrate is Progressing' };
  const steps = stepsOf([
    member({ wave: 5, phase: 'Sync', ...waits }),
    member({ ...waits }),
    member({ phase: 'PreSync', wave: 0, health: { status: 'Progressing', message: 'runs' } }),
    member({ phase: 'PreSync', wave: -1 }),
  ]);
  assert.deepEqual(
    steps.map(({ title, done, waiting, tone }) => [title, done, waiting, tone]),
    [
      ['Before the sync, wave -1', 1, 0, 'ok'],
      ['Before the sync, wave 0', 0, 0, 'progressing'],
      ['Wave 0', 0, 1, 'unknown'],
      ['Wave 5', 0, 1, 'unknown'],
    ],
  );
  assert.equal(stepsOf([member({})])[0]?.title, 'All objects');
});

test('a refusal says what the agent said, and a proxy in between is told by its status', () => {
  assert.deepEqual(refusalOf(409, '{"title":"Conflict","detail":"wait","code":"RequestPending"}'), {
    status: 409,
    detail: 'wait',
    code: 'RequestPending',
  });
  assert.deepEqual(refusalOf(502, '<html>'), { status: 502, detail: 'the agent answered with status 502' });
});

test('an answer counts for its own request only, and not while it is in progress', () => {
  const lastRequest = { id: 'a', outcome: 'Succeeded' } as const;
  assert.equal(answerTo({ lastRequest }, 'a'), lastRequest);
  assert.equal(answerTo({ lastRequest }, 'b'), undefined);
  assert.equal(answerTo({ lastRequest: { id: 'a', outcome: 'InProgress' } }, 'a'), undefined);
});

test('lines of logs lose their colours and keep everything else', () => {
  assert.equal(plainLine('\u001b[31mred\u001b[0m\tx\r'), 'red    x');
});
