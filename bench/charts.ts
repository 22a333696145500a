/**
 * `npm run bench -- charts`: 50 Applications, each with a chart of its own in one repository. It measures the first
 * render of all beside a bare loop of `helm template` over the same charts, a pass in which nothing has changed, and
 * the runs of helm after one changed value. The Applications only detect, so that no write of an object is measured.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { RunningAgent } from '../test/support/agent.ts';
import { countedHelm } from '../test/support/counted-helm.ts';
import { startWorld, type ApplicationHandle, type World } from '../test/support/world.ts';
import type { BenchOptions } from './bench-options.ts';

const CHARTS = 50;
const CONFIG_MAPS = 20;
const PASSES = 20;

export interface ChartsFigures {
  readonly charts: number;
  /** From the first declaration until all charts are rendered and compared. */
  readonly firstMs: number;
  /** `helm template` for the same charts one after the other, with the same program. */
  readonly helmMs: number;
  /** The render stage of a pass in which nothing has changed. */
  readonly unchangedMs: number;
  /** Runs of helm in those passes. */
  readonly unchangedHelmRuns: number;
  /** Runs of helm after one value of one chart has changed. */
  readonly helmRuns: number;
}

export async function run({ say }: BenchOptions): Promise<ChartsFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'tautline-bench-charts-'));
  try {
    await using world = await startWorld();
    const helm = await countedHelm(folder);
    say('helm template');
    const helmMs = loopOfHelm(helm.helm, folder);
    const repository = await world.repository('charts');
    await repository.commit(filesOf());
    const agent = await world.agent({ flags: ['--helm', helm.program] });
    say('first render of all');
    const startedMs = performance.now();
    const applications: ApplicationHandle[] = [];
    for (let index = 0; index < CHARTS; index++) applications.push(await declare(world, index, repository.url));
    for (const application of applications) await untilCompared(application);
    const firstMs = Math.round(performance.now() - startedMs);
    say('passes without a change');
    const firstRuns = await helm.runs();
    const before = await renderStage(agent);
    for (let pass = 0; pass < PASSES; pass++) await applications[pass]?.refresh();
    const after = await renderStage(agent);
    const unchangedMs = Math.round((1_000 * 100 * (after.sum - before.sum)) / (after.count - before.count)) / 100;
    const unchangedHelmRuns = (await helm.runs()) - firstRuns;
    say('one changed value');
    const beforeValue = await helm.runs();
    await repository.commit({ [`${nameOf(0)}/values.yaml`]: 'color: blue\n' });
    for (const application of applications) await application.refresh();
    const helmRuns = (await helm.runs()) - beforeValue;
    return { charts: CHARTS, firstMs, helmMs, unchangedMs, unchangedHelmRuns, helmRuns };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function nameOf(index: number): string {
  return `chart-${index}`;
}

function filesOf(): Record<string, string> {
  const files: Record<string, string> = {};
  for (let index = 0; index < CHARTS; index++) {
    const name = nameOf(index);
    files[`${name}/Chart.yaml`] = `apiVersion: v2\nname: ${name}\nversion: 1.0.0\n`;
    files[`${name}/values.yaml`] = 'color: red\n';
    for (let map = 0; map < CONFIG_MAPS; map++) {
      files[`${name}/templates/map-${map}.yaml`] =
        `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "{{ .Release.Name }}-${map}"}\n` +
        'data: {color: "{{ .Values.color }}", chart: "{{ .Chart.Name }}"}\n';
    }
  }
  return files;
}

/** The time of the loop alone, in milliseconds. */
function loopOfHelm(helm: string, folder: string): number {
  for (const [path, content] of Object.entries(filesOf())) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  const startedMs = performance.now();
  for (let index = 0; index < CHARTS; index++) {
    execFileSync(helm, ['template', nameOf(index), join(folder, nameOf(index)), '--include-crds'], {
      env: { HOME: folder },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  }
  return Math.round(performance.now() - startedMs);
}

function declare(world: World, index: number, repoURL: string): Promise<ApplicationHandle> {
  const source = { repoURL, path: nameOf(index), interval: '1h' };
  return world.declare(nameOf(index), { source, sync: { mode: 'detect' } }, 'charts');
}

async function untilCompared(application: ApplicationHandle): Promise<void> {
  await application.until('compared', (object) => object['status']?.['sync']?.['revision'] !== undefined);
}

/** The time of all render stages so far in seconds, and their number. */
async function renderStage({ metricsUrl }: RunningAgent): Promise<{ readonly sum: number; readonly count: number }> {
  // A rendering of the metrics is shared for a second.
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  const text = await (await fetch(`${metricsUrl}/metrics`)).text();
  const read = (part: 'sum' | 'count'): number =>
    Number(new RegExp(`^\\S*stage\\S*_${part}\\{[^}]*stage="render"[^}]*\\} (\\S+)$`, 'm').exec(text)?.[1] ?? NaN);
  return { sum: read('sum'), count: read('count') };
}
