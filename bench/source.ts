/**
 * `npm run bench -- source`: Git repositories over HTTP and SSH, beside git in the same run: a poll without a change,
 * the push of one file into 20,000, the first fetch of 20,000 files, a repository of 100 MiB, and many polls and
 * fetches in a row. The source runs in a process without the rest of the agent; memory is that of this process and its
 * children (PSS). Times are medians.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { git } from '../test/support/git-command.ts';
import type { TestRepository } from '../test/support/git-repository.ts';
import { startSourceApart, type SourceApart, type SourceFigures } from '../test/support/source-apart.ts';
import type { BenchOptions } from './bench-options.ts';
import { pssMiB } from './process-figures.ts';
import { FILES_PER_FOLDER, FOLDERS, LARGE_MIB, manifest, pathOf, serveRepositories } from './source-servers.ts';
import type { Served, Way } from './source-servers.ts';

const POLLS = 20;
const PUSHES = 10;
const FIRSTS = 3;
/** Polls in a row, if `--runs` names no number; a fifth as many fetches. */
const ROW = 1_000;
const POLLS_PER_FETCH = 5;

interface Comparison {
  readonly ms: number;
  /** git for the same, its start included. */
  readonly gitMs: number;
  /** Bytes of both directions on the wire, headers and encryption included. */
  readonly bytes: number;
  readonly gitBytes: number;
}

interface Memory {
  readonly restMib: number;
  readonly peakMib: number;
}

export interface WayFigures {
  readonly poll: Comparison;
  /** Poll and fetch after a push of one file. */
  readonly push: Comparison & Memory;
  readonly first: Comparison & Memory;
  readonly large: Comparison & Memory;
  readonly row: {
    readonly polls: number;
    readonly fetches: number;
    /** After the first quarter, and at the end. */
    readonly before: SourceFigures & Memory;
    readonly after: SourceFigures & Memory;
  };
}

export interface BenchFigures {
  readonly files: number;
  readonly largeMib: number;
  readonly http: WayFigures;
  readonly ssh: WayFigures;
}

export async function run({ say, runs = ROW }: BenchOptions): Promise<BenchFigures> {
  const folder = await mkdtemp(join(tmpdir(), 'tautline-bench-source-'));
  try {
    await using stack = new AsyncDisposableStack();
    say('repositories');
    const served = await serveRepositories(folder, stack);
    const figures: Partial<Record<Way['name'], WayFigures>> = {};
    for (const way of served.ways) figures[way.name] = await measure({ way, served, folder, say, runs });
    const { http, ssh } = figures as Record<Way['name'], WayFigures>;
    return { files: FOLDERS * FILES_PER_FOLDER, largeMib: LARGE_MIB, http, ssh };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Measurement {
  readonly way: Way;
  readonly served: Served;
  /** For everything that is written. */
  readonly folder: string;
  readonly say: BenchOptions['say'];
  readonly runs: number;
}

async function measure(measurement: Measurement): Promise<WayFigures> {
  const { way, served, say } = measurement;
  say(`${way.name}: first fetches`);
  const first = await measureFirst(measurement, served.wide, FIRSTS);
  say(`${way.name}: ${LARGE_MIB} MiB`);
  const large = await measureFirst(measurement, served.large, 1);
  say(`${way.name}: polls and pushes`);
  const { poll, push } = await measureChanges(measurement);
  say(`${way.name}: ${measurement.runs} polls in a row, and fetches`);
  return { poll, push, first, large, row: await measureRow(measurement) };
}

/** Each in a new process with an empty folder, and a new clone. */
async function measureFirst(
  { way, served, folder }: Measurement,
  repository: TestRepository,
  times: number,
): Promise<Comparison & Memory> {
  const samples: (Comparison & Memory)[] = [];
  for (let sample = 0; sample < times; sample++) {
    const dir = await mkdtemp(join(folder, 'first-'));
    await using source = startSourceApart(join(dir, 'data'));
    await source.fetch(way.placeOf(served.small));
    way.relay.takeBytes();
    const { result, ...memory } = await withMemory(source, () => source.fetch(way.placeOf(repository)));
    const bytes = way.relay.takeBytes();
    const { repoUrl } = way.placeOf(repository);
    const gitMs = await timeOfGit(way, ['clone', '--quiet', '--bare', '--depth', '1', repoUrl, join(dir, 'git')]);
    samples.push({ ms: result.durationMs, gitMs, bytes, gitBytes: way.relay.takeBytes(), ...memory });
    await rm(dir, { recursive: true, force: true });
  }
  return { ...medians(samples), ...largest(samples) };
}

async function measureChanges({ way, served, folder }: Measurement): Promise<Pick<WayFigures, 'poll' | 'push'>> {
  const dir = await mkdtemp(join(folder, 'changes-'));
  await using source = startSourceApart(join(dir, 'data'));
  const [place, clone] = [way.placeOf(served.wide), join(dir, 'git')];
  await source.fetch(place);
  await timeOfGit(way, ['clone', '--quiet', '--bare', '--depth', '1', place.repoUrl, clone]);
  const polls: Comparison[] = [];
  for (let sample = 0; sample < POLLS; sample++) {
    way.relay.takeBytes();
    const { durationMs } = await source.poll(place);
    const bytes = way.relay.takeBytes();
    const gitMs = await timeOfGit(way, ['ls-remote', place.repoUrl, 'refs/heads/main']);
    polls.push({ ms: durationMs, gitMs, bytes, gitBytes: way.relay.takeBytes() });
  }
  const pushes: (Comparison & Memory)[] = [];
  for (let sample = 0; sample < PUSHES; sample++) {
    await served.wide.commit({ [pathOf(sample, 0)]: manifest(sample, 0, Date.now()) });
    way.relay.takeBytes();
    const { result, ...memory } = await withMemory(source, () => source.fetch(place));
    const bytes = way.relay.takeBytes();
    const gitMs = await timeOfGit(way, ['-C', clone, 'fetch', '--quiet', '--depth', '1', 'origin', 'main']);
    pushes.push({ ms: result.durationMs, gitMs, bytes, gitBytes: way.relay.takeBytes(), ...memory });
  }
  return { poll: medians(polls), push: { ...medians(pushes), ...largest(pushes) } };
}

/** Each fetch comes a minute after the last one by the clock of the source, so that old commits leave the disk. */
const MINUTE_MS = 60_000;

async function measureRow({ way, served, folder, runs }: Measurement): Promise<WayFigures['row']> {
  const dir = await mkdtemp(join(folder, 'row-'));
  await using source = startSourceApart(join(dir, 'data'));
  const place = way.placeOf(served.small);
  const warmUp = Math.ceil(runs / 4);
  let before: (SourceFigures & Memory) | undefined;
  let peakMib = 0;
  let fetches = 0;
  for (let poll = 0; poll < runs + warmUp; poll++) {
    if (poll % POLLS_PER_FETCH === 0) {
      await served.small.commit({ 'a.yaml': manifest(0, 0, poll) });
      await source.fetch({ ...place, afterMs: MINUTE_MS });
      if (before) fetches += 1;
      peakMib = Math.max(peakMib, pssMiB(source.pid));
    } else await source.poll(place);
    if (poll !== warmUp) continue;
    before = { ...(await source.figures()), restMib: pssMiB(source.pid), peakMib };
    peakMib = 0;
  }
  const after = { ...(await source.figures()), restMib: pssMiB(source.pid), peakMib };
  return { polls: runs, fetches, before: before ?? after, after };
}

const SAMPLE_EVERY_MS = 50;

async function withMemory<T>({ pid }: SourceApart, work: () => Promise<T>): Promise<{ readonly result: T } & Memory> {
  const restMib = pssMiB(pid);
  let peakMib = restMib;
  const timer = setInterval(() => (peakMib = Math.max(peakMib, pssMiB(pid))), SAMPLE_EVERY_MS);
  try {
    const result = await work();
    return { result, restMib, peakMib: Math.max(peakMib, pssMiB(pid)) };
  } finally {
    clearInterval(timer);
  }
}

/** In milliseconds. Rejects with the words of git. */
async function timeOfGit({ gitEnvironment }: Way, args: readonly string[]): Promise<number> {
  const startMs = performance.now();
  await git(args, { environment: gitEnvironment });
  return performance.now() - startMs;
}

function medians(samples: readonly Comparison[]): Comparison {
  const median = (read: (sample: Comparison) => number): number => {
    const sorted = samples.map(read).sort((left, right) => left - right);
    return Math.round((sorted[Math.floor(sorted.length / 2)] ?? 0) * 10) / 10;
  };
  return {
    ms: median(({ ms }) => ms),
    gitMs: median(({ gitMs }) => gitMs),
    bytes: median(({ bytes }) => bytes),
    gitBytes: median(({ gitBytes }) => gitBytes),
  };
}

/** The figures of the sample with the highest peak. */
function largest(samples: readonly Memory[]): Memory {
  const [{ restMib, peakMib } = { restMib: 0, peakMib: 0 }] = samples.toSorted(
    (left, right) => right.peakMib - left.peakMib,
  );
  return { restMib, peakMib };
}
