/**
 * Hostile input, rendered in the child process that the agent uses. Each render ends in a clear problem or a kill, the
 * memory of the child stays below its limit, and the next render in the same sandbox is correct.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { StageError } from '../../../src/object/stage-error.ts';
import type { Manifests } from '../../../src/render/manifests.ts';
import { renderInSandbox } from '../../../src/sandbox/render-job.ts';
import type { Snapshot } from '../../../src/source/snapshot.ts';
import { defaultSourceLimits } from '../../../src/source/limits.ts';
import { createRepository } from '../../support/git-repository.ts';
import { startHarness } from '../source/source-harness.ts';

const MiB = 1024 * 1024;

/** The default limits of the agent. */
const LIMITS = { maxFileBytes: 8 * MiB, maxNodes: 1_000_000, maxDepth: 200, maxObjects: 50_000, maxFiles: 20_000 };

/** The sandbox of the harness kills a child beyond this. */
const MAX_RSS_MIB = 1024;

const CONFIG_MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n';

type Files = Readonly<Record<string, string>>;

/** Commits each input as a folder of one repository. */
async function startRenders(t: TestContext, inputs: Readonly<Record<string, Files>>) {
  const { server, source, sandbox } = await startHarness(t);
  const repository = await createRepository(server, 'hostile');
  const files: Record<string, string> = { 'good/a.yaml': CONFIG_MAP };
  for (const [folder, own] of Object.entries(inputs)) {
    for (const [path, text] of Object.entries(own)) files[`${folder}/${path}`] = text;
  }
  await repository.commit(files);
  const repoUrl = repository.url;
  const fetchTip = async (): Promise<Snapshot> => source.fetch({ repoUrl, resolved: await source.poll({ repoUrl }) });
  let snapshot = await fetchTip();
  const { maxObjectBytes, maxDeltaDepth, cacheBytes } = defaultSourceLimits;
  const settings = {
    limits: LIMITS,
    sizeLimits: { maxRenderedObjectBytes: 3 * MiB, maxRenderedBytes: 32 * MiB },
    treeLimits: { maxObjectBytes, maxDeltaDepth, cacheBytes },
    parsedCacheBytes: 128 * MiB,
    // A loaded machine must not turn a problem into a kill.
    deadlineMs: 600_000,
  };
  return {
    render: (path: string, previous?: Manifests): Promise<Manifests> => {
      return renderInSandbox(
        sandbox,
        { snapshot, path, previous, tenant: 'team', signal: new AbortController().signal },
        settings,
      );
    },
    commit: async (changes: Files): Promise<void> => {
      await repository.commit(changes);
      snapshot = await fetchTip();
    },
  };
}

/** The highest peak of resident memory among the living children, as counted by the kernel. */
function peakRssMib(): number {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ');
  const peaks = children.map((pid) => {
    try {
      return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
    } catch {
      return 0;
    }
  });
  return Math.max(...peaks) / 1024;
}

const withResource = (text: string): Files => ({ 'kustomization.yaml': 'resources: [a.yaml]\n', 'a.yaml': text });

const many = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));

function aliasBomb(): string {
  const repeat = (level: number): string => many(10, () => `*a${level - 1}`).join(', ');
  return ['a0: &a0 [x, x]', ...many(12, (i) => `a${i + 1}: &a${i + 1} [${repeat(i + 1)}]`)].join('\n');
}

/** Each level names the level below twice, with different prefixes: 2^n objects. */
function doubling(levels: number): Files {
  const files: Record<string, string> = {};
  for (let level = 1; level <= levels; level += 1) {
    const below = level === 1 ? '../base' : `../l${level - 1}`;
    for (const side of ['x', 'y']) {
      files[`l${level}${side}/kustomization.yaml`] = `resources: [${below}]\nnamePrefix: ${side.repeat(20)}-\n`;
    }
    files[`l${level}/kustomization.yaml`] = `resources: [../l${level}x, ../l${level}y]\n`;
  }
  files['base/kustomization.yaml'] = 'resources: [a.yaml]\n';
  files['base/a.yaml'] = CONFIG_MAP;
  files['kustomization.yaml'] = `resources: [l${levels}]\n`;
  return files;
}

const configMaps = (count: number, data = ''): string =>
  many(count, (i) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c${i}}\n${data}`).join('---\n');

/** Definitions that each refer to the next one twice. */
const CRDS = JSON.stringify(
  Object.fromEntries([
    ['x.Kind', { Schema: { properties: { apiVersion: {}, kind: {}, metadata: {}, spec: { $ref: 'd0' } } } }],
    ...many(60, (i) => [`d${i}`, { Schema: { properties: { a: { $ref: `d${i + 1}` }, b: { $ref: `d${i + 1}` } } } }]),
  ]),
);

/** `ends`: the allowed results: the code of the problem or of the StageError, or `rendered`. */
const HOSTILE: readonly { title: string; files: Files; ends: readonly string[] }[] = [
  { title: 'an alias bomb', files: withResource(`${CONFIG_MAP}${aliasBomb()}\n`), ends: ['LimitExceeded'] },
  {
    title: 'lists 50,000 deep',
    files: withResource(`${CONFIG_MAP}d: ${'['.repeat(50_000)}${']'.repeat(50_000)}\n`),
    ends: ['LimitExceeded'],
  },
  {
    title: 'a scalar of 60 MB',
    files: withResource(`${CONFIG_MAP}data: {x: "${'x'.repeat(60_000_000)}"}\n`),
    ends: ['LimitExceeded'],
  },
  {
    title: 'a folder without a kustomization that holds 60,000 documents',
    files: { 'a.yaml': configMaps(60_000) },
    ends: ['LimitExceeded'],
  },
  { title: 'bases that double 30 times', files: doubling(30), ends: ['LimitExceeded'] },
  {
    title: 'a replacement of 4 MB into 5,000 objects, ten times',
    files: {
      'kustomization.yaml': `resources: [a.yaml, b.yaml]\nreplacements:\n${many(10, (i) => `- {source: {kind: ConfigMap, name: big, fieldPath: data.x}, targets: [{select: {name: "c.*"}, fieldPaths: [data.f${i}], options: {create: true}}]}\n`).join('')}`,
      'a.yaml': configMaps(5_000, 'data: {k: v}\n'),
      'b.yaml': `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: big}\ndata: {x: "${'word '.repeat(800_000)}"}\n`,
    },
    ends: ['LimitExceeded'],
  },
  {
    title: 'delimiters that double a text with each of 60 replacements',
    files: {
      'kustomization.yaml': `resources: [a.yaml]\nreplacements:\n${many(60, () => '- {source: {kind: ConfigMap, name: a, fieldPath: data.x}, targets: [{select: {name: a}, fieldPaths: [data.x], options: {delimiter: "/", index: 99}}]}\n').join('')}`,
      'a.yaml': `${CONFIG_MAP}data: {x: "0123456789"}\n`,
    },
    ends: ['LimitExceeded'],
  },
  {
    title: 'vars that name each other',
    files: {
      'kustomization.yaml': `resources: [a.yaml]\nconfigurations: [c.yaml]\nvars:\n${many(40, (i) => `- {name: V${i}, objref: {apiVersion: v1, kind: ConfigMap, name: a}, fieldref: {fieldPath: data.k${i}}}\n`).join('')}`,
      'c.yaml': 'varReference: [{path: data, kind: ConfigMap}]\n',
      'a.yaml': `${CONFIG_MAP}data:\n${many(40, (i) => `  k${i}: ${`$(V${(i + 1) % 40})`.repeat(50)}\n`).join('')}`,
    },
    ends: ['rendered'],
  },
  {
    title: 'definitions that expand without end',
    files: { 'kustomization.yaml': 'resources: [a.yaml]\ncrds: [c.json]\n', 'c.json': CRDS, 'a.yaml': CONFIG_MAP },
    ends: ['LimitExceeded'],
  },
  {
    title: 'generators of 100 files of 8 MB',
    files: {
      'kustomization.yaml': `configMapGenerator:\n${many(100, (i) => `- {name: g${i}, files: [big.txt]}\n`).join('')}`,
      'big.txt': 'é'.repeat(4 * MiB - 10),
    },
    ends: ['LimitExceeded'],
  },
  {
    title: 'a regular expression that takes exponential time in a backtracking engine',
    files: {
      'kustomization.yaml': `resources: [a.yaml]\nimages: [{name: "(a+)+$", newTag: x}]\npatches: [{target: {name: "(a|a)*(a*)*b"}, patch: "[]"}]\n`,
      'a.yaml': `apiVersion: v1\nkind: Pod\nmetadata: {name: ${'a'.repeat(60)}}\nspec: {containers: [{name: c, image: "${'a'.repeat(50_000)}!"}]}\n`,
    },
    ends: ['rendered'],
  },
  {
    title: 'a cycle of three kustomizations',
    files: {
      'kustomization.yaml': 'resources: [b]\n',
      'b/kustomization.yaml': 'resources: [../c]\n',
      'c/kustomization.yaml': 'resources: [..]\n',
    },
    ends: ['KustomizationInvalid'],
  },
];

test('hostile input ends in a clear problem or a kill, and the next render in the same sandbox is correct', async (t) => {
  const { render } = await startRenders(t, Object.fromEntries(HOSTILE.map(({ files }, i) => [`h${i}`, files])));
  for (const [index, { title, ends }] of HOSTILE.entries()) {
    const ended = await render(`h${index}`).then(
      ({ problems }) => {
        for (const problem of problems) {
          assert.ok(JSON.stringify(problem).length < 1_500, `${title}: a problem is short`);
          assert.doesNotMatch(problem.message, /\n {4}at |unexpectedly/, title);
        }
        return problems[0]?.code ?? 'rendered';
      },
      (error: unknown) => {
        assert.ok(error instanceof StageError, title);
        return error.code;
      },
    );
    assert.ok(ends.includes(ended), `${title} ended as ${ended}`);
    assert.ok(peakRssMib() < MAX_RSS_MIB, `${title}: ${peakRssMib()} MiB`);
    const good = await render('good');
    assert.deepEqual([good.problems, good.manifests.length], [[], 1], title);
  }
});

test('a commit outside the read-set renders nothing, and a commit inside it sends only the changed objects', async (t) => {
  const { render, commit } = await startRenders(t, {
    app: { 'a.yaml': CONFIG_MAP, 'b.yaml': CONFIG_MAP.replace('name: a', 'name: b') },
  });
  const first = await render('app');
  await commit({ 'elsewhere/c.yaml': CONFIG_MAP });
  assert.equal(await render('app', first), first, 'the same manifests are returned: the child sent none');
  await commit({ 'app/b.yaml': `${CONFIG_MAP.replace('name: a', 'name: b')}data: {x: "1"}\n` });
  const second = await render('app', first);
  assert.notEqual(second, first);
  assert.equal(second.manifests[0]?.object, first.manifests[0]?.object, 'the unchanged object is reused');
  assert.deepEqual(second.manifests[1]?.object['data'], { x: '1' });
});

test('packages that only some inputs need can be loaded in the child', async (t) => {
  const { render } = await startRenders(t, {
    broken: { 'a.yaml': 'apiVersion: v1\nkind: [\n' },
    pattern: {
      'a.yaml': CONFIG_MAP,
      'kustomization.yaml': 'resources: [a.yaml]\npatches: [{target: {name: "a.*"}, patch: "[]"}]\n',
    },
  });
  const broken = await render('broken');
  assert.deepEqual(
    broken.problems.map(({ code, line }) => [code, line]),
    [['YamlSyntax', 2]],
  );
  assert.match(broken.problems[0]?.message ?? '', /^the bracket \[ of line 2 is not closed/);
  assert.equal((await render('pattern')).manifests.length, 1);
});
