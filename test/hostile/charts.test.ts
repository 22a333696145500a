/**
 * Charts that try to harm the agent, rendered by the real helm: each ends within its bounds and with its own reason,
 * and leaves neither a process nor a file.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createHelm, type Helm, type HelmCall, type HelmOptions } from '../../src/helm/helm.ts';
import type { StageError } from '../../src/object/stage-error.ts';
import { realHelmOptions } from '../support/real-helm.ts';
import { helmRunOf } from '../support/helm-run.ts';

const MIB = 2 ** 20;
const LIMITS = { maxRssBytes: 512 * MIB, maxOutputBytes: 16 * MIB };

const RUN = helmRunOf();

let options: HelmOptions;
let folder = '';

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tautline-charts-'));
  options = await realHelmOptions(folder, LIMITS);
});

after(() => rmSync(folder, { recursive: true, force: true }));

const CHART = 'apiVersion: v2\nname: web\nversion: 1.0.0\n';

function callOf(template: string, { run = {}, files = {}, signal = new AbortController().signal } = {}): HelmCall {
  const all: Record<string, string> = { 'chart/Chart.yaml': CHART, 'chart/templates/x.yaml': template, ...files };
  return {
    run: { ...RUN, ...run },
    files: Object.entries(all).map(([path, text]) => ({ path, bytes: Buffer.from(text) })),
    capabilities: { kubeVersion: undefined, apiVersions: [] },
    tenant: 'shop',
    signal,
  };
}

async function codeOf(result: Promise<unknown>): Promise<string> {
  try {
    return `no error: ${JSON.stringify(await result)}`;
  } catch (error) {
    return (error as StageError).code;
  }
}

/** The programs that work in a folder of a run, also in one that is removed. */
function runningPrograms(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readlinkSync(`/proc/${pid}/cwd`).startsWith(options.folder);
      } catch {
        return false;
      }
    });
}

function assertNothingLeft(): void {
  assert.deepEqual(existsSync(options.folder) ? readdirSync(options.folder) : [], []);
  assert.deepEqual(runningPrograms(), []);
}

const LIST = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n';

const BOUNDED: readonly (readonly [
  title: string,
  template: string,
  limits: Partial<HelmOptions['limits']>,
  code: string,
])[] = [
  [
    'never ends',
    '{{ define "a" }}{{ range until 100000 }}{{ end }}{{ include "a" . }}{{ end }}{{ include "a" . }}',
    { deadlineMs: 1500 },
    'HelmTimeout',
  ],
  ['makes a list without end', '{{ $x := until 2000000000 }}{{ len $x }}', { maxRssBytes: 200 * MIB }, 'HelmMemory'],
  [
    'prints too much',
    `${LIST}  {{- range until 10000 }}\n  k{{ . }}: ${'x'.repeat(200)}\n  {{- end }}\n`,
    { maxOutputBytes: MIB },
    'HelmOutputTooLarge',
  ],
];

for (const [title, template, limits, code] of BOUNDED) {
  test(`a template that ${title} is stopped with ${code}, and the next chart is rendered`, async () => {
    const helm = createHelm({ ...options, limits: { ...options.limits, ...limits } });
    const bad = helm.template(callOf(template));
    const good = helm.template(callOf(`${LIST}  a: b\n`));
    assert.equal(await codeOf(bad), code);
    assert.equal((await good).type, 'text');
    assertNothingLeft();
  });
}

test('a run that is cancelled ends at once, and a waiting one never starts', async () => {
  const helm = createHelm(options);
  const cancel = new AbortController();
  const template = '{{ define "a" }}{{ range until 100000 }}{{ end }}{{ include "a" . }}{{ end }}{{ include "a" . }}';
  const results = [1, 2].map(() => codeOf(helm.template(callOf(template, { signal: cancel.signal }))));
  setTimeout(() => cancel.abort(), 300);
  assert.deepEqual(await Promise.all(results), ['Cancelled', 'Cancelled']);
  assertNothingLeft();
});

test('runs beyond the bound on waiting are refused, and closing ends all others', async () => {
  const helm = createHelm({ ...options, maxWaiting: 1 });
  const template = '{{ define "a" }}{{ range until 100000 }}{{ end }}{{ include "a" . }}{{ end }}{{ include "a" . }}';
  const first = codeOf(helm.template(callOf(template)));
  const second = codeOf(helm.template(callOf(template)));
  assert.equal(await codeOf(helm.template(callOf(template))), 'HelmBusy');
  helm.close();
  assert.deepEqual(await Promise.all([first, second]), ['Cancelled', 'Cancelled']);
  assertNothingLeft();
});

async function textOf(helm: Helm, call: HelmCall): Promise<string> {
  const answer = await helm.template(call);
  return answer.type === 'text' ? answer.text : JSON.stringify(answer);
}

test('a chart sees neither the environment, nor the cluster, nor files outside its folder', async () => {
  writeFileSync(join(folder, 'outside.txt'), 'outside');
  process.env['TAUTLINE_TEST_VALUE'] = 'from-the-environment';
  const template = [
    `${LIST}  env: {{ env "TAUTLINE_TEST_VALUE" | default "none" | quote }}`,
    '  file: {{ .Files.Get "../../outside.txt" | quote }}',
    `  absolute: {{ .Files.Get "${join(folder, 'outside.txt')}" | quote }}`,
    '  lookup: {{ lookup "v1" "Namespace" "" "default" | toJson | quote }}',
    '  host: {{ getHostByName "localhost" | quote }}',
  ].join('\n');
  const printed = await textOf(
    createHelm(options),
    callOf(template.replace('{{ env "TAUTLINE_TEST_VALUE" | default "none" | quote }}', '"none"')),
  );
  assert.match(printed, /file: ""\n\s+absolute: ""\n\s+lookup: "\{\}"\n\s+host: ""/);
  // The functions that read the environment do not exist in helm.
  assert.match(await textOf(createHelm(options), callOf(template)), /function \\"env\\" not defined/);
  delete process.env['TAUTLINE_TEST_VALUE'];
});

test('a chart whose dependency is in a repository makes helm ask no server', async () => {
  let requests = 0;
  const server = createServer((_, response) => {
    requests += 1;
    response.end('a: 1');
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  const repository = `dependencies: [{name: db, version: 1.0.0, repository: "http://127.0.0.1:${port}"}]\n`;
  const call = callOf(`${LIST}  a: b\n`, { files: { 'chart/Chart.yaml': CHART + repository } });
  assert.match(await textOf(createHelm(options), call), /DependencyMissing/);
  server.close();
  assert.equal(requests, 0);
});

test('files outside the folder of the run are never written', async () => {
  const helm = createHelm(options);
  for (const path of ['../x', 'chart/../../x', '/x', 'chart//x', './x', 'chart/x\0y']) {
    await assert.rejects(helm.template(callOf('', { files: { [path]: 'x' } })), /not a relative path/, path);
  }
  assert.ok(!existsSync(join(folder, 'x')));
  assertNothingLeft();
});

test('a missing program and a program of another version have reasons of their own', async () => {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'helm'), '#!/bin/sh\necho v3.17.0+gabc\n', { mode: 0o755 });
  writeFileSync(join(bin, 'other'), '#!/bin/sh\necho hello\n', { mode: 0o755 });
  const unconfined = { ...options, landlockProgram: '' };
  const code = (program: string, searchPath = ''): Promise<string> =>
    codeOf(createHelm({ ...unconfined, program, searchPath }).version());
  assert.equal(await code('helm'), 'HelmMissing');
  assert.equal(await code(join(bin, 'absent')), 'HelmMissing');
  assert.equal(await code('helm', bin), 'HelmVersionUnsupported');
  assert.equal(await code(join(bin, 'other')), 'HelmVersionUnsupported');
});

test('a helm that is installed later is found', async () => {
  const bin = join(folder, 'later');
  mkdirSync(bin);
  const helm = createHelm({ ...options, program: 'helm', searchPath: bin, landlockProgram: '' });
  assert.equal(await codeOf(helm.version()), 'HelmMissing');
  writeFileSync(join(bin, 'helm'), `#!/bin/sh\nexec ${options.program} "$@"\n`, { mode: 0o755 });
  assert.match(await helm.version(), /^v4\./);
});

/** Starts a process that renders a chart without end, and returns it when helm runs. */
async function startEndless(): Promise<ChildProcess> {
  const script = `
    import { createHelm } from ${JSON.stringify(join(import.meta.dirname, '../../src/helm/helm.ts'))};
    const call = JSON.parse(process.argv[2]);
    const files = call.files.map(({ path, text }) => ({ path, bytes: Buffer.from(text) }));
    const helm = createHelm(call.options);
    await helm.version();
    await helm.template({ ...call, files, signal: new AbortController().signal });
  `;
  const file = join(folder, 'script.ts');
  writeFileSync(file, script);
  const call = callOf(
    '{{ range until 10000 }}{{ range until 10000 }}{{ range until 10000 }}{{ end }}{{ end }}{{ end }}',
  );
  const files = call.files.map(({ path, bytes }) => ({ path, text: Buffer.from(bytes).toString() }));
  const child = spawn(process.execPath, [file, JSON.stringify({ ...call, files, options })], { stdio: 'inherit' });
  while (!runningPrograms().some(isTemplate)) {
    assert.equal(child.exitCode, null, 'the process ended before helm ran');
    await sleep(20);
  }
  return child;
}

/** Before the template, the process asks for the version of helm. */
function isTemplate(pid: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('\0template\0');
  } catch {
    return false;
  }
}

async function end(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
  assert.equal(child.signalCode, signal);
}

test('helm is killed when this process ends by a signal, and its folder is removed', async () => {
  await end(await startEndless(), 'SIGTERM');
  assertNothingLeft();
});

test('the kernel kills helm when this process is killed', async () => {
  await end(await startEndless(), 'SIGKILL');
  // The signal is under way for a moment.
  for (let tries = 500; tries > 0 && runningPrograms().length > 0; tries--) await sleep(20);
  const left = runningPrograms();
  for (const pid of left) process.kill(Number(pid), 'SIGKILL');
  assert.deepEqual(left, []);
  rmSync(options.folder, { recursive: true, force: true });
});

test('a program whose parent is gone before the kernel watches it is not started', () => {
  const confined = (parent: number) =>
    spawnSync(options.landlockProgram, [String(parent), '/', '--', '/bin/sh', '-c', 'echo started'], {
      encoding: 'utf8',
    });
  assert.equal(confined(process.pid).stdout, 'started\n');
  const { status, stdout, stderr } = confined(process.ppid);
  assert.deepEqual([status, stdout], [1, '']);
  assert.match(stderr, /the process that started it is gone/);
});
