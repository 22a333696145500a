/**
 * Builds one executable with Go into the cache, once.
 *
 * Invariant: a file with the final name is a complete, working executable. It is built under another name and then
 * renamed. Processes that need the same file at the same time wait for the one that builds it.
 */
import { spawn } from 'node:child_process';
import { mkdir, open, rename, rm, stat, utimes } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

const progressEveryMs = 5_000;
const waitEveryMs = 200;
/** The builder touches its claim at every progress line; a claim this old belongs to a process that died. */
const abandonedAfterMs = 60_000;
const lastLinesShown = 12;

export interface GoBuild {
  /** Name for progress lines and errors. */
  readonly name: string;
  /** Path of the executable. */
  readonly target: string;
  /** Arguments of `go`, and its directory and environment, to leave the executable at `output`. */
  readonly command: (output: string) => {
    readonly args: readonly string[];
    readonly cwd?: string;
    readonly environment?: NodeJS.ProcessEnv;
  };
  /** Advice for the case that Go is missing or fails, as a part of the error message. */
  readonly remedy: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly progress: (line: string) => void;
}

/** Resolves when `build.target` exists. Rejects with an Error that says what is missing if the build fails. */
export async function goBuild(build: GoBuild): Promise<void> {
  await mkdir(dirname(build.target), { recursive: true });
  const claim = `${build.target}.building`;
  const startedMs = Date.now();
  let nextReportMs = startedMs;
  while (!(await exists(build.target))) {
    if (!(await tryClaim(claim))) {
      if (Date.now() >= nextReportMs) {
        build.progress(`${build.name}: waiting for another process that builds it (${secondsSince(startedMs)} s)`);
        nextReportMs = Date.now() + progressEveryMs;
      }
      await sleep(waitEveryMs);
      continue;
    }
    try {
      await buildAndRename(build, claim);
    } finally {
      await rm(claim, { force: true });
    }
  }
}

async function buildAndRename(build: GoBuild, claim: string): Promise<void> {
  const temporary = join(dirname(build.target), `.building-${process.pid}-${Date.now()}`);
  await mkdir(temporary);
  try {
    const output = join(temporary, basename(build.target));
    const { args, cwd, environment } = build.command(output);
    build.progress(`${build.name}: building with Go, which takes some minutes the first time`);
    await runGo(build, { args, ...(cwd && { cwd }), environment: { ...build.environment, ...environment }, claim });
    await rename(output, build.target);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

interface GoRun {
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly claim: string;
}

async function runGo(build: GoBuild, run: GoRun): Promise<void> {
  const startedMs = Date.now();
  let downloaded = 0;
  let compiled = 0;
  const lastLines: string[] = [];
  const child = spawn('go', run.args, {
    ...(run.cwd && { cwd: run.cwd }),
    env: run.environment,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'ENOENT' ? 'there is no `go` in PATH to build it with' : error.message;
      reject(new Error(`${build.name} is not available: ${why}. ${build.remedy}`));
    });
    child.once('close', resolve);
  });
  // `go build -v` names each package it compiles on a line of its own, and says "go: …" for everything else.
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (line.startsWith('go: downloading ')) downloaded += 1;
    else if (/^[\w.~/-]+$/.test(line)) compiled += 1;
    lastLines.push(line);
    if (lastLines.length > lastLinesShown) lastLines.shift();
  });
  const ticker = setInterval(() => {
    build.progress(
      `${build.name}: ${secondsSince(startedMs)} s, ${downloaded} modules downloaded, ${compiled} packages compiled`,
    );
    void utimes(run.claim, new Date(), new Date()).catch(() => undefined);
  }, progressEveryMs);
  try {
    const code = await ended;
    if (code !== 0) {
      throw new Error(`${build.name}: \`go ${run.args[0]}\` failed. ${build.remedy}\n${lastLines.join('\n')}`);
    }
    build.progress(`${build.name}: built in ${secondsSince(startedMs)} s`);
  } finally {
    clearInterval(ticker);
  }
}

/** Returns whether this process may build now. Removes a claim that its process has abandoned. */
async function tryClaim(claim: string): Promise<boolean> {
  try {
    await (await open(claim, 'wx')).close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const info = await stat(claim).catch(() => undefined);
  if (info && Date.now() - info.mtimeMs > abandonedAfterMs) await rm(claim, { force: true });
  return false;
}

export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function secondsSince(startedMs: number): number {
  return Math.round((Date.now() - startedMs) / 1000);
}
