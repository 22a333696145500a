/**
 * The render stage of a pass: renders in the child process, once for each set of inputs. A render that exceeds its
 * bounds on memory, time or size is not repeated for a while, because it would end in the same way.
 */
import { applicationKey } from '../../application/keys.ts';
import { sourcePath } from '../../application/parse.ts';
import { digestValue } from '../../object/digest.ts';
import { StageError } from '../../object/stage-error.ts';
import type { Value } from '../../object/value.ts';
import type { DataRef } from '../../cluster/ports.ts';
import type { DataNeed, Need } from '../../render/needs.ts';
import type { Manifests } from '../../render/manifests.ts';
import { renderWithAnswers } from '../../render/rounds.ts';
import type { Snapshot } from '../../source/snapshot.ts';
import type { RenderedTree } from '../context.ts';
import type { Reading } from '../pass.ts';
import { isForThisCluster } from './bring-helm.ts';
import { bringNeed, type Bringing } from './bring-needs.ts';
import type { Brought } from './brought.ts';
import {
  keepOpened,
  keysRef,
  openedBefore,
  refreshKeys,
  withoutContent,
  type DecryptionKeys,
} from './decryption-keys.ts';
import type { DesiredMemory, KeptAnswer, LastRender } from './memory.ts';
import { originOf, treesOfOthers } from './other-sources.ts';
import { readCredential, readVerification } from './read-credential.ts';
import { releaseOf } from './release.ts';
import { refuseRendered } from './rendered-room.ts';
import { readPlace } from './source-place.ts';

/** Codes of a snapshot that is gone from the disk or damaged there; it is fetched again. */
const UNUSABLE_SNAPSHOT: ReadonlySet<string> = new Set(['CorruptPack', 'IncompletePack', 'SnapshotGone']);

/** How long the error of a render that exceeded its own bounds is remembered, in milliseconds. */
const REFUSED_MS = 3_600_000;
/** The same if it only lacks room beside other renders, which may shrink at any time. */
const NO_ROOM_MS = 60_000;

/** Throws StageError: of the render, of a source that was never read, or of a need that could not be brought. */
export async function renderSnapshot(reading: Reading, snapshot: Snapshot): Promise<Manifests> {
  const { context, memory } = reading;
  const trees = await treesOfOthers(reading);
  const keys = await refreshKeys(reading);
  const inputs = inputsOf(reading, snapshot, { trees, keys });
  const { key } = inputs;
  const { rendered, refused } = memory.desired;
  const known = await refreshAnswers(reading, rendered, { trees: treesAt(reading, snapshot, trees), keys });
  const isSameCluster = rendered === undefined || (await isForThisCluster(reading, rendered));
  if (rendered?.key === key && isSameAnswers(rendered.answers, known) && isSameCluster) return rendered.manifests;
  if (refused?.key === key && context.clock.monotonicMs() < refused.untilMs) throw refused.error;
  const found = (await context.source.find(snapshot)) ?? (await fetchAgain(reading, snapshot));
  const refuse = (error: StageError, forMs: number): void => {
    memory.desired.refused = { key, error, untilMs: context.clock.monotonicMs() + forMs };
  };
  try {
    const last = await renderInRounds(reading, { ...inputs, snapshot: found, trees, keys, known, isSameCluster });
    const noRoom = refuseForRoom(reading, last.manifests);
    if (noRoom) refuse(noRoom, NO_ROOM_MS);
    if (noRoom) throw noRoom;
    memory.desired.rendered = last;
    forgetUnused(memory.desired, last);
    memory.desired.refused = undefined;
    return last.manifests;
  } catch (error) {
    if (error instanceof StageError && UNUSABLE_SNAPSHOT.has(error.code)) await context.source.discard(found);
    if (memory.desired.refused?.error !== error && isBoundExceeded(error)) refuse(error, REFUSED_MS);
    throw error;
  }
}

interface Inputs extends Pick<LastRender, 'key' | 'path'> {
  /** Digest of the options and the keys alone. */
  readonly options: string;
}

interface Ingredients {
  readonly trees: ReadonlyMap<string, RenderedTree>;
  readonly keys: DecryptionKeys;
}

function inputsOf({ application }: Reading, snapshot: Snapshot, { trees, keys }: Ingredients): Inputs {
  const { spec, metadata } = application;
  const path = sourcePath(spec.source.path);
  const origins = [spec.source, ...(spec.sources ?? [])].map((source) => ({ ...originOf(source) }));
  const facts = [metadata.name, spec.destination.namespace ?? null, keys.digest, origins];
  const options = digestValue([spec.render as Value, ...facts]);
  const others = Array.from(trees, ([name, { tree, path: folder }]) => `${name} ${tree.treeOid} ${folder}`);
  return { key: [snapshot.tree.treeOid, path, options, ...others].join('\n'), path, options };
}

/**
 * Brings the answers of the last render again that may have changed since. Others are kept without their content, and
 * are brought when the render asks for them.
 */
async function refreshAnswers(
  reading: Reading,
  rendered: LastRender | undefined,
  bringing: Bringing,
): Promise<Map<string, Brought>> {
  const known = new Map<string, Brought>();
  if (!rendered) return known;
  const due = [...rendered.answers.values()].filter((kept) => isDue(reading, kept));
  for (const brought of await Promise.all(due.map(({ need }) => bringNeed(reading, need, bringing)))) {
    known.set(brought.need.key, brought);
  }
  return known;
}

/** Needs that a tree answers, which has a memory of its own. */
const OWN_MEMORY: ReadonlySet<Need['type']> = new Set(['repository', 'chart', 'submodule', 'lfs']);

/**
 * Data is read again after its watch has told of a change; without a watch, after each poll of the source. A repository
 * decides by its own memory.
 */
function isDue(reading: Reading, { need, broughtMs }: KeptAnswer): boolean {
  if (OWN_MEMORY.has(need.type)) return true;
  if (need.type !== 'data') return false;
  const { context, identity, memory, signals } = reading;
  if (signals.dataChangedMs >= broughtMs) return true;
  if (context.hub.data.isWatched(identity, dataRefOf(reading, need))) return false;
  return (memory.desired.source?.polledMs ?? -Infinity) > broughtMs;
}

/** The ConfigMaps and Secrets that the last render depends on. */
export function dataOf(reading: Reading): DataRef[] {
  const answers = reading.memory.desired.rendered?.answers.values() ?? [];
  const data = [...answers].flatMap(({ need }) => (need.type === 'data' ? [dataRefOf(reading, need)] : []));
  const keys = keysRef(reading);
  return keys === undefined || data.some((ref) => isSameRef(ref, keys)) ? data : [...data, keys];
}

function isSameRef(a: DataRef, b: DataRef): boolean {
  return a.kind === b.kind && a.name === b.name;
}

function dataRefOf({ application }: Reading, { kind, name }: DataNeed): DataRef {
  return { kind, namespace: application.metadata.namespace, name };
}

function isSameAnswers(kept: ReadonlyMap<string, KeptAnswer>, known: ReadonlyMap<string, Brought>): boolean {
  return [...known].every(([key, { digest }]) => kept.get(key)?.digest === digest);
}

/** Whether a render with these answers is the same if no file has changed; the read-set covers the files of trees. */
function hasSameContent(kept: ReadonlyMap<string, KeptAnswer>, known: ReadonlyMap<string, Brought>): boolean {
  return [...known].every(([key, { digest, tree }]) => {
    const before = kept.get(key);
    // A tree in the place of a refusal is not covered by the read-set.
    return tree === undefined ? before?.digest === digest : before?.isTree === true;
  });
}

interface RoundsInput extends Inputs, Ingredients {
  readonly snapshot: Snapshot;
  readonly known: ReadonlyMap<string, Brought>;
  /** Whether the last render is for the present cluster, if it has charts. */
  readonly isSameCluster: boolean;
}

async function renderInRounds(
  reading: Reading,
  { key, path, options, snapshot, trees, keys, known, isSameCluster }: RoundsInput,
): Promise<LastRender> {
  const { application, context, memory, signal } = reading;
  const { spec, metadata } = application;
  const before = memory.desired.rendered?.path === path ? memory.desired.rendered : undefined;
  const isAsBefore = isSameCluster && before?.inputs === options && hasSameContent(before.answers, known);
  const { manifests, answers } = await renderWithAnswers<Brought>({
    known: new Map([...known, ...openedBefore(reading, keys)]),
    render: (brought) =>
      context.render.render({
        snapshot,
        path,
        origin: originOf(spec.source),
        options: spec.render,
        release: releaseOf(application),
        trees: new Map([...trees, ...treesOf(brought)]),
        answers: new Map(Array.from(brought, ([name, { answer }]) => [name, answer])),
        previous: before?.manifests,
        mayBeUnchanged: isAsBefore,
        tenant: metadata.namespace,
        signal,
      }),
    bring: (need, brought) =>
      bringNeed(reading, need, {
        trees: treesAt(reading, snapshot, new Map([...trees, ...treesOf(brought)])),
        keys,
      }),
  });
  const isUnchanged = before !== undefined && manifests === before.manifests;
  const used = new Set(manifests.answersUsed);
  if (!isUnchanged)
    memory.desired.opened = keepOpened(
      [...answers.values()].filter(({ need }) => used.has(need.key)),
      keys,
    );
  return {
    key,
    path,
    inputs: options,
    manifests,
    answers: keptOf(manifests, answers, isUnchanged ? before : undefined),
  };
}

function treesAt(
  { application }: Reading,
  { tree }: Snapshot,
  others: ReadonlyMap<string, RenderedTree>,
): Bringing['trees'] {
  return { main: tree, origin: originOf(application.spec.source), others };
}

function treesOf(brought: ReadonlyMap<string, Brought>): [string, RenderedTree][] {
  return [...brought].flatMap(([name, { tree }]) => (tree ? [[name, tree] as [string, RenderedTree]] : []));
}

/** The answers that the render used. `before`: the last render, if this one is the same. */
function keptOf(
  { answersUsed = [] }: Manifests,
  answers: ReadonlyMap<string, Brought>,
  before: LastRender | undefined,
): ReadonlyMap<string, KeptAnswer> {
  const kept = new Map<string, KeptAnswer>(before?.answers);
  for (const key of answersUsed) {
    const brought = answers.get(key);
    if (!brought) continue;
    const { need, digest, broughtMs, renderedFor, tree } = brought;
    kept.set(key, {
      need: withoutContent(need),
      digest,
      isTree: tree !== undefined,
      broughtMs,
      ...(renderedFor === undefined ? {} : { renderedFor }),
    });
  }
  return kept;
}

/** Repositories that the render asks for no more are not polled any longer. */
function forgetUnused({ others }: DesiredMemory, { answers }: LastRender): void {
  for (const name of others.keys()) if (!name.startsWith('$') && !answers.has(name)) others.delete(name);
}

/** A person asks: the next render is tried, whatever came of the last one. */
export function forgetRefusedRender({ desired }: { readonly desired: DesiredMemory }): void {
  desired.refused = undefined;
}

function refuseForRoom({ application, context }: Reading, { sizeBytes = 0 }: Manifests): StageError | undefined {
  const { namespace, name } = application.metadata;
  const others = context.neighbours.renderedSizes(applicationKey(namespace, name));
  return refuseRendered(sizeBytes, others, context.settings);
}

/** A crash is no exceeded bound: the next process may do better. */
function isBoundExceeded(error: unknown): error is StageError {
  if (!(error instanceof StageError)) return false;
  const { reason } = (error.cause ?? {}) as { readonly reason?: unknown };
  return error.code === 'TooLarge' || (error.code === 'Killed' && reason !== 'crash');
}

/** A snapshot that was not used for a while may have left the disk. */
async function fetchAgain(reading: Reading, snapshot: Snapshot): Promise<Snapshot> {
  const { application, context, signal } = reading;
  const place = await readPlace({
    spec: application.spec.source,
    credential: () => readCredential(reading),
    verification: () => readVerification(reading),
  });
  return context.source.fetch({ ...place, resolved: snapshot, tenant: application.metadata.namespace, signal });
}

/** A render that failed as a whole says nothing about the desired objects. */
export function isUsable({ manifests, problems }: Manifests): boolean {
  return manifests.length > 0 || problems.length === 0;
}
