/** The workflows of the repository: they run scripts that exist, with no more permissions than they need. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';

const ROOT = join(import.meta.dirname, '../..');
const FOLDER = join(ROOT, '.github/workflows');

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

interface Workflow {
  readonly name: string;
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<
    Record<string, { readonly 'timeout-minutes'?: number; readonly needs?: string; readonly steps: readonly Step[] }>
  >;
}

const workflows = readdirSync(FOLDER).map((file) => ({
  file,
  workflow: parse(readFileSync(join(FOLDER, file), 'utf8')) as Workflow,
}));
const steps = workflows.flatMap(({ file, workflow }) =>
  Object.values(workflow.jobs).flatMap((job) => job.steps.map((step) => ({ file, step }))),
);
const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> };

test('every npm script that a workflow runs exists', () => {
  const commands = steps.flatMap(({ file, step }) => (step.run?.split('\n') ?? []).map((line) => ({ file, line })));
  const named = commands.flatMap(({ file, line }) => {
    const name = /^npm (?:run )?(\S+)/.exec(line)?.[1];
    return name === undefined || ['ci', 'pack', 'sbom'].includes(name) ? [] : [{ file, name }];
  });
  assert.ok(named.length >= 6);
  assert.deepEqual(
    named.filter(({ name }) => scripts[name] === undefined),
    [],
  );
});

test('every script of package.json runs a file that exists', () => {
  for (const [name, command] of Object.entries(scripts)) {
    const file = /^node (?:--test )?(\S+?)(?:\/\*\.test\.ts)?$/.exec(command)?.[1];
    if (file !== undefined) assert.ok(existsSync(join(ROOT, file)), `${name}: ${file}`);
  }
});

test('actions are pinned to commits with their versions, and the checkout leaves no credential behind', () => {
  const commits = new Map<string, string>();
  for (const file of readdirSync(FOLDER)) {
    const lines = readFileSync(join(FOLDER, file), 'utf8')
      .split('\n')
      .filter((line) => line.includes('uses: '));
    for (const line of lines) {
      const [, action = '', commit = '', version = ''] =
        /uses: ([\w-]+\/[\w-]+)@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)$/.exec(line) ?? assert.fail(`${file}: ${line}`);
      const known = commits.get(`${action}@${version}`) ?? commit;
      assert.equal(commit, known, `${action} ${version} is two commits`);
      commits.set(`${action}@${version}`, commit);
    }
  }
  assert.ok(commits.size > 8);
  for (const { file, step } of steps) {
    if (step.uses?.startsWith('actions/checkout@')) assert.equal(step.with?.['persist-credentials'], false, file);
  }
});

test('workflows have read permission only, unless a job asks for more, and every job has a time limit', () => {
  for (const { file, workflow } of workflows) {
    assert.equal(workflow.name, file.replace('.yaml', ''));
    assert.deepEqual(workflow.permissions, { contents: 'read' }, file);
    for (const [name, job] of Object.entries(workflow.jobs)) assert.ok(job['timeout-minutes'], `${file}: ${name}`);
  }
});

test('a release is tested first, and has an SBOM for the image and attestations of its provenance', () => {
  const release = workflows.find(({ workflow }) => workflow.name === 'release')?.workflow;
  assert.ok(release);
  for (const name of ['image', 'package']) assert.equal(release.jobs[name]?.needs, 'test');
  const image = release.jobs['image']?.steps ?? [];
  const build = image.find(({ uses }) => uses?.startsWith('docker/build-push-action@'));
  assert.deepEqual([build?.with?.['sbom'], build?.with?.['provenance']], [true, 'mode=max']);
  for (const job of [image, release.jobs['package']?.steps ?? []]) {
    assert.ok(job.some(({ uses }) => uses?.startsWith('actions/attest-build-provenance@')));
  }
});

test('a release signs the image, the chart and the package, and builds from base images with a digest', () => {
  const release = workflows.find(({ workflow }) => workflow.name === 'release')?.workflow;
  const [image = [], pack = []] = ['image', 'package'].map((name) => release?.jobs[name]?.steps);
  assert.ok(image.some(({ run }) => run?.includes('cosign sign --yes "$IMAGE@')));
  assert.ok(pack.some(({ run }) => run?.includes('cosign sign-blob')));
  const build = image.find(({ uses }) => uses?.startsWith('docker/build-push-action@'));
  for (const name of ['GO_IMAGE', 'BUILD_IMAGE', 'RUNTIME_IMAGE']) {
    assert.ok(String(build?.with?.['build-args']).includes(`${name}=\${{ vars.${name} }}`), name);
  }
});

test('neither a workflow nor the Dockerfile names a registry', () => {
  for (const { file } of workflows) {
    const text = readFileSync(join(FOLDER, file), 'utf8');
    assert.doesNotMatch(text, /\b[\w-]+\.(io|dev|com|org)\b/, file);
  }
  assert.doesNotMatch(readFileSync(join(ROOT, 'Dockerfile'), 'utf8'), /\b(ghcr|gcr|quay|docker|k8s)\.io\b/);
});
