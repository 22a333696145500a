/**
 * The index.yaml files of Helm repositories: fetched only where they have changed, kept on disk, and read in the
 * sandbox one chart at a time.
 *
 * Invariants: an index is shared only between requests with the same address and credential. Files and remembered
 * charts are bounded; those that were not used for longest go first.
 */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Clock } from '../telemetry/ports.ts';
import type { ListedVersion } from './chart-index.ts';
import type { RegistryLimits } from './limits.ts';
import { headerOf, type WebAnswer } from './web.ts';

export interface IndexCache {
  /** The versions of a chart. undefined: the index does not know it. Throws StageError. */
  versionsOf(question: IndexQuestion): Promise<readonly ListedVersion[] | undefined>;
}

export interface IndexQuestion {
  /** The same for all requests with the same address and credential. */
  readonly key: string;
  readonly chart: string;
  /** Sends the request for the index with these headers; answers 200 or 304, or throws StageError. */
  readonly request: (validators: Readonly<Record<string, string>>) => Promise<WebAnswer>;
  /** Reads the versions of the chart out of the file. */
  readonly read: (path: string) => Promise<readonly ListedVersion[] | undefined>;
  /** Monotonic; an index that was asked for earlier is no answer. */
  readonly notBeforeMs: number | undefined;
}

export interface IndexCacheOptions {
  /** A folder of its own; its content is deleted at first use. */
  readonly dir: string;
  readonly limits: Pick<RegistryLimits, 'maxIndexes'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}

interface KnownIndex {
  readonly folder: string;
  readonly path: string;
  readonly validators: Readonly<Record<string, string>>;
  /** SHA-256 of the file. */
  readonly digest: string;
  /** Monotonic; when the request began that brought or confirmed it. */
  readonly askedMs: number;
  readonly charts: Map<string, readonly ListedVersion[] | undefined>;
}

/** Applications of one repository that poll at the same time share one request. */
const SHARED_MS = 5_000;
const MAX_VALIDATOR_CHARS = 1_024;

export function createIndexCache({ dir, limits, clock }: IndexCacheOptions): IndexCache {
  /** By key, the latest used last. */
  const known = new Map<string, KnownIndex>();
  const inTurn = createTurns();
  let cleared: Promise<void> | undefined;

  /** `cameMs`: when the question came, since it may have waited for others. */
  async function refresh(question: IndexQuestion, cameMs: number): Promise<KnownIndex> {
    const { key, notBeforeMs = -Infinity } = question;
    const before = known.get(key);
    if (before && before.askedMs >= Math.max(notBeforeMs, cameMs - SHARED_MS)) return keep(key, before);
    const askedMs = clock.monotonicMs();
    const answer = await question.request(before?.validators ?? {});
    if (answer.status === 304 && before) {
      answer.discard();
      return keep(key, { ...before, askedMs });
    }
    const folder = join(dir, key);
    const path = join(folder, 'index.yaml');
    await (cleared ??= rm(dir, { recursive: true, force: true }));
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const digest = await download(answer, path);
    const charts = before?.digest === digest ? before.charts : new Map<string, readonly ListedVersion[] | undefined>();
    return keep(key, { folder, path, validators: validatorsOf(answer), digest, askedMs, charts });
  }

  function keep(key: string, index: KnownIndex): KnownIndex {
    known.delete(key);
    known.set(key, index);
    const [oldest] = known;
    if (known.size > limits.maxIndexes && oldest) {
      known.delete(oldest[0]);
      void rm(oldest[1].folder, { recursive: true, force: true }).catch(() => undefined);
    }
    return index;
  }

  return {
    versionsOf(question) {
      const cameMs = clock.monotonicMs();
      return inTurn(question.key, async () => {
        const { path, charts } = await refresh(question, cameMs);
        if (charts.has(question.chart)) return charts.get(question.chart);
        try {
          const versions = await question.read(path);
          charts.set(question.chart, versions);
          return versions;
        } catch (error) {
          // The file may be gone or damaged, and the server would go on to confirm it.
          known.delete(question.key);
          throw error;
        }
      });
    },
  };
}

/** The SHA-256 of the file. A download that fails leaves the file before it. */
async function download(answer: WebAnswer, path: string): Promise<string> {
  const hash = createHash('sha256');
  const incoming = `${path}.incoming`;
  async function* hashed(): AsyncIterable<Buffer> {
    for await (const chunk of answer.body) {
      hash.update(chunk);
      yield chunk;
    }
  }
  try {
    await pipeline(hashed(), createWriteStream(incoming, { mode: 0o600 }));
    await rename(incoming, path);
  } catch (error) {
    await rm(incoming, { force: true });
    throw error;
  }
  return hash.digest('hex');
}

function validatorsOf(answer: WebAnswer): Readonly<Record<string, string>> {
  const [etag, modified] = [headerOf(answer, 'etag'), headerOf(answer, 'last-modified')];
  if (etag !== undefined && etag.length <= MAX_VALIDATOR_CHARS) return { 'if-none-match': etag };
  if (modified !== undefined && modified.length <= MAX_VALIDATOR_CHARS) return { 'if-modified-since': modified };
  return {};
}

/** Work with the same key runs one after the other, whatever comes of it. */
function createTurns(): <T>(key: string, work: () => Promise<T>) => Promise<T> {
  const last = new Map<string, Promise<unknown>>();
  return (key, work) => {
    const before = last.get(key) ?? Promise.resolve();
    const own = before.then(work, work);
    last.set(key, own);
    const end = (): void => void (last.get(key) === own && last.delete(key));
    own.then(end, end);
    return own;
  };
}
