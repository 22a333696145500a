/**
 * Hand-over within a source: what one commit moves from the folder of one Application into that of another goes over
 * alive.
 *
 * Invariant: nothing is pruned on a revision before every other Application of the same source has bound that very
 * commit, or the deadline has passed; what one of them desires is released instead. A suspended Application is asked
 * nothing: its folder is rendered here, out of the snapshot that is there anyway, unless it might not read that itself.
 */
import { parseApplication } from '../../application/parse.ts';
import type { Application } from '../../application/schema.ts';
import type { Change } from '../../diff/changes.ts';
import { idKey } from '../../object/identity.ts';
import { StageError } from '../../object/stage-error.ts';
import { stringAt } from '../../object/value.ts';
import { nameOfRevision } from '../../source/revision.ts';
import type { Snapshot } from '../../source/snapshot.ts';
import { beginPass, type Pass } from '../pass.ts';
import { pollSoon } from '../desired/refresh-source.ts';
import { bindDesired, renderSnapshot, type BoundSet } from '../desired/bind-desired.ts';
import type { ApplicationState } from '../memory.ts';

export interface HandOver {
  readonly changes: readonly Change[];
  /** By `idKey`: what waits for another Application, with the reason for people. */
  readonly waits: ReadonlyMap<string, string>;
}

/** Another Application of the same source. */
interface Peer {
  readonly application: Application;
  readonly state: ApplicationState;
}

/** What is left to prune is released to who desires it, or waits until all have said what they desire. */
export async function handOver(pass: Pass, snapshot: Snapshot, changes: readonly Change[]): Promise<HandOver> {
  const { application, state, context, asked } = pass;
  const { memory } = state;
  const isActing = asked.intent.mode === 'auto';
  const left = changes.filter(({ type }) => isActing && type === 'prune');
  const refused = changes.filter(({ type }) => isActing && type === 'conflict');
  if (left.length + refused.length === 0) {
    memory.handOver = undefined;
    return { changes, waits: new Map() };
  }
  const nowMs = context.clock.monotonicMs();
  if (memory.handOver?.commit !== snapshot.commit) {
    memory.handOver = { commit: snapshot.commit, sinceMs: nowMs, asked: new Set() };
  }
  const isOver = nowMs - memory.handOver.sinceMs >= context.settings.handOverWaitMs;
  // Nobody else comes to a commit that a request names: what the others claim is known, but for suspended ones.
  const peers = peersOf(pass, snapshot).filter((peer) =>
    peer.application.spec.suspend ? hasSameAccess(application, peer.application) : !asked.commit,
  );
  if (left.length > 0) await readForSuspended(pass, peers, snapshot);
  const takers = takersOf(peers, snapshot);
  const waits = isOver ? new Map<string, string>() : waitsOf(pass, { peers, takers, snapshot, left, refused });
  return {
    waits,
    changes: changes.map((change) => {
      const taker = change.type === 'prune' ? takers.get(idKey(change.id)) : undefined;
      return taker === undefined
        ? change
        : { ...change, type: 'release', reason: `claimed by Application ${taker.state.key}` };
    }),
  };
}

/** Says what this Application desires at a commit, and wakes who waits for that. Only a complete set is said. */
export function noteRead(pass: Pass, snapshot: Snapshot, { desired, isComplete }: BoundSet): void {
  const { application, context, state } = pass;
  const { memory } = state;
  const { generation } = application.metadata;
  const { commit } = snapshot;
  if (!isComplete) return;
  const isNews = memory.read?.commit !== commit || memory.read.generation !== generation;
  memory.read = { commit, generation, ids: new Set(desired.objects.map(({ id }) => idKey(id))) };
  if (!isNews) return;
  for (const peer of context.peers()) {
    const awaited = peer.memory.handOver;
    if (peer === state || !awaited?.asked.has(state.key)) continue;
    // One of the two has seen an older commit than the other.
    if (awaited.commit !== commit) pollSoon(peer);
    context.wake(peer.key);
  }
}

interface Question {
  readonly peers: readonly Peer[];
  readonly takers: ReadonlyMap<string, Peer>;
  readonly snapshot: Snapshot;
  readonly left: readonly Change[];
  readonly refused: readonly Change[];
}

function waitsOf(pass: Pass, { peers, takers, snapshot, left, refused }: Question): Map<string, string> {
  const { context } = pass;
  const waits = new Map<string, string>();
  const unread = peers.filter((peer) => !hasRead(peer, snapshot));
  const [first, ...more] = unread;
  if (left.length > 0 && first) {
    const others = more.length > 0 ? ` and ${more.length} more` : '';
    const reason = `it is pruned once Application ${first.state.key}${others} of the same source has read the revision`;
    for (const { id } of left) if (!takers.has(idKey(id))) waits.set(idKey(id), reason);
    if (waits.size > 0) for (const peer of unread) ask(pass, peer);
  }
  const byKey = new Map(peers.map((peer) => [peer.state.key, peer]));
  for (const { id } of refused) {
    const holder = byKey.get(context.claims.ownerOf(context.cluster.clusterId, id) ?? '');
    if (!holder || !willLetGo(holder, snapshot, idKey(id))) continue;
    waits.set(idKey(id), `Application ${holder.state.key} has still to let go of it`);
    if (!hasRead(holder, snapshot)) ask(pass, holder);
  }
  return waits;
}

/** Once a commit, lest two Applications that see different commits ask each other without end. */
function ask({ context, state }: Pass, peer: Peer): void {
  const { handOver: waiting } = state.memory;
  if (!waiting || waiting.asked.has(peer.state.key)) return;
  waiting.asked.add(peer.state.key);
  pollSoon(peer.state);
  context.wake(peer.state.key);
}

function hasRead({ application, state }: Peer, { commit }: Snapshot): boolean {
  const { read } = state.memory;
  return read?.commit === commit && read.generation === application.metadata.generation;
}

/** Whether the owner of an object is about to release it: it may write, and does not desire it as far as is known. */
function willLetGo(holder: Peer, snapshot: Snapshot, key: string): boolean {
  const { suspend, sync } = holder.application.spec;
  if (suspend || sync.mode !== 'auto') return false;
  return !hasRead(holder, snapshot) || holder.state.memory.read?.ids.has(key) === false;
}

function takersOf(peers: readonly Peer[], snapshot: Snapshot): Map<string, Peer> {
  const takers = new Map<string, Peer>();
  for (const peer of peers) {
    if (!hasRead(peer, snapshot)) continue;
    for (const key of peer.state.memory.read?.ids ?? []) if (!takers.has(key)) takers.set(key, peer);
  }
  return takers;
}

/** Those that follow the same branch or tag of the same repository, under whichever of its names. */
function peersOf({ application, context, state }: Pass, snapshot: Snapshot): Peer[] {
  const { repoURL, revision } = application.spec.source;
  const peers: Peer[] = [];
  for (const other of context.peers()) {
    // Before anything is parsed: there may be thousands of other repositories.
    if (other === state || stringAt(other.stored, 'spec', 'source', 'repoURL') !== repoURL) continue;
    const parsed = parseApplication(other.stored);
    if (!parsed.ok || parsed.application.metadata.deletionTimestamp) continue;
    const { source } = parsed.application.spec;
    const isSame = source.revision === revision || nameOf(other.memory.source?.snapshot) === nameOf(snapshot);
    if (isSame) peers.push({ application: parsed.application, state: other });
  }
  return peers;
}

function nameOf(snapshot: Snapshot | undefined): string | undefined {
  return snapshot && nameOfRevision(snapshot.revision);
}

/** Whether what one has fetched may be shown to the other, whom nobody lets prove that it could fetch it itself. */
function hasSameAccess(one: Application, other: Application): boolean {
  const [secret, otherSecret] = [one, other].map(({ spec }) => spec.source.secretRef?.name);
  if (secret !== otherSecret) return false;
  return secret === undefined || one.metadata.namespace === other.metadata.namespace;
}

async function readForSuspended({ context, signal }: Pass, peers: readonly Peer[], snapshot: Snapshot): Promise<void> {
  for (const peer of peers) {
    if (!peer.application.spec.suspend || hasRead(peer, snapshot)) continue;
    const pass = beginPass({ ...peer, context, signal });
    try {
      const bound = await bindDesired(pass, await renderSnapshot(pass, snapshot));
      if (bound) noteRead(pass, snapshot, bound);
    } catch (error) {
      // It cannot say what it wants, like every other whose folder cannot be rendered.
      if (signal.aborted || !(error instanceof StageError)) throw error;
    }
  }
}
