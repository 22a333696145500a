/**
 * Where the attacks take place: one world and one agent with low limits, a victim whose repository turns hostile, and
 * a neighbour that is pushed to during each attack.
 *
 * Invariant: whatever the victim's repository does, its objects live on untouched, the neighbour's push arrives, no
 * word of a file outside is repeated, nothing that a terminal would obey reaches status, Events or log, and a good
 * commit heals.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FileChange } from '../support/git-repository.ts';
import { eventually, startWorld, type Json, type World } from '../support/world.ts';
import { CONFIG_MAP, type Attack } from './attack.ts';
import { startFront, status, type Front } from './front.ts';
import { watchMemory, type PeakMemory } from './memory.ts';
import { configMap, text } from '../support/objects.ts';
import { at, declareSubject, fingerprint, QUICK_FLAGS, type Subject } from '../support/scene.ts';

export const LIMITS = { agentHeapMib: 160, childHeapMib: 128, childRssMib: 320 };

/** So low that limits are reached in moments. */
const FLAGS: readonly string[] = [
  ['--heap-mib', String(LIMITS.agentHeapMib)],
  ['--sandbox-heap-mib', String(LIMITS.childHeapMib)],
  ['--sandbox-rss-mib', String(LIMITS.childRssMib)],
  ['--git-timeout', '2s'],
  ['--git-fetch-timeout', '4s'],
  ['--index-timeout', '10s'],
  ['--render-timeout', '10s'],
  ['--max-pack-mib', '4'],
  ['--max-file-mib', '1'],
  ['--max-repository-files', '20000'],
  ['--render-cache-mib', '16'],
].flat();

/** In a file outside of every repository, and in another repository. */
export const CANARY = 'canary-7f3a-outside';

export interface Arena extends AsyncDisposable {
  readonly world: World;
  readonly front: Front;
  /** A ConfigMap in a file of the machine that holds the canary. */
  readonly canaryFile: string;
  /** Of the agent. */
  readonly dataDir: string;
  /** Ends the agent and starts another over the same data. */
  restart(): Promise<void>;
  /** Fails unless the attack ends as it must; answers what it took. */
  withstand(attack: Attack): Promise<Withstood>;
  /** Fails unless a push to the neighbour arrives. */
  expectNeighbourGoesOn(): Promise<void>;
  /** Fails if anything that the agent has said or written is unfit to be shown, or repeats the canary. */
  expectCleanWords(): Promise<void>;
  /** Of the agent and its children so far. */
  peak(): PeakMemory;
}

export interface Withstood extends Told {
  readonly name: string;
  /** From the strike to the verdict. */
  readonly toldMs: number;
  readonly neighbourMs: number;
}

export async function startArena(): Promise<Arena> {
  const world = await startWorld();
  const dir = await mkdtemp(join(tmpdir(), 'tautline-arena-'));
  const front = await startFront(world.git.url);
  const canaryFile = join(dir, 'canary.yaml');
  await writeFile(canaryFile, `${CONFIG_MAP}data: {canary: ${CANARY}}\n`);
  const dataDir = join(dir, 'data');
  const words = { text: '' };
  const start = async () => {
    const agent = await world.agent({ flags: [...QUICK_FLAGS, ...FLAGS, '--data-dir', dataDir] });
    agent.process.stdout?.on('data', (chunk: string) => (words.text += chunk));
    return { agent, memory: watchMemory(agent.process.pid ?? 0) };
  };
  let running = await start();
  const neighbour = await declareSubject(world, 'neighbour', { files: neighbourFiles(0) });
  const victim = await declareSubject(world, 'victim', {
    files: goodFiles(0),
    spec: { source: { repoURL: `${front.url}/victim.git`, interval: '1h' } },
  });
  await Promise.all([neighbour.application.untilReady(), victim.application.untilReady()]);
  let round = 0;
  const expectNeighbourGoesOn = async (): Promise<void> => {
    const value = ++round;
    const commit = await neighbour.repository.commit(neighbourFiles(value));
    await neighbour.application.refresh();
    await neighbour.application.untilReady(commit);
    assert.equal(at(await neighbour.configMap('good'), 'data', 'round'), String(value));
  };
  return {
    world,
    front,
    canaryFile,
    dataDir,
    withstand: (attack) => withstand(attack, { front, victim, expectNeighbourGoesOn }),
    expectNeighbourGoesOn,
    expectCleanWords: () => expectCleanWords(world, words),
    peak: () => running.memory.peak(),
    async restart() {
      running.memory[Symbol.dispose]();
      await running.agent.stop();
      running = await start();
    },
    async [Symbol.asyncDispose]() {
      running.memory[Symbol.dispose]();
      await front[Symbol.asyncDispose]();
      await world[Symbol.asyncDispose]();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function neighbourFiles(round: number): Record<string, string> {
  return { 'good.yaml': text(configMap('good', { round: String(round) })), 'README.md': `${CANARY}\n` };
}

function goodFiles(round: number): Record<string, string> {
  return { 'kept.yaml': text(configMap('kept', { round: String(round) })) };
}

interface Scene {
  readonly front: Front;
  readonly victim: Subject;
  readonly expectNeighbourGoesOn: () => Promise<void>;
}

async function withstand(attack: Attack, scene: Scene): Promise<Withstood> {
  const { victim, front } = scene;
  const kept = await victim.configMap('kept');
  const round = Number(at(kept, 'data', 'round'));
  const neighbourMs = timed(scene.expectNeighbourGoesOn);
  const startMs = performance.now();
  await strike(attack, scene, round);
  const told = await untilTold(attack, victim);
  const toldMs = Math.round(performance.now() - startMs);
  const shown = `${attack.name} ended as ${told.reason}: ${told.message}`;
  assert.ok(attack.ends.includes(told.reason), shown);
  if (attack.says) assert.match(told.message, attack.says, shown);
  assert.doesNotMatch(told.message, /\n\s+at |node:internal|\/src\/|unexpectedly/, shown);
  const after = await victim.configMap('kept');
  assert.equal(fingerprint(after), fingerprint(kept), `${attack.name}: the applied object was not touched`);
  const waitedMs = await neighbourMs;
  front.replies = {};
  const commit = await victim.repository.commit(goodFiles(round + 1), { replaceAll: true });
  await victim.application.refresh();
  await victim.application.untilReady(commit);
  const healed = await victim.configMap('kept');
  assert.equal(at(healed, 'data', 'round'), String(round + 1), `${attack.name}: a good commit heals`);
  assert.equal(at(healed, 'metadata', 'uid'), at(kept, 'metadata', 'uid'), `${attack.name}: nothing was replaced`);
  return { name: attack.name, toldMs, neighbourMs: waitedMs, ...told };
}

async function timed(run: () => Promise<void>): Promise<number> {
  const startMs = performance.now();
  await run();
  return Math.round(performance.now() - startMs);
}

async function strike({ strike, ends }: Attack, { front, victim }: Scene, round: number): Promise<void> {
  const kept: Record<string, FileChange> = ends.includes('Ready') ? goodFiles(round) : {};
  if (strike.type === 'files') {
    const message = strike.message ?? 'Attack';
    await victim.repository.commit({ ...strike.files, ...kept }, { replaceAll: true, message });
    return;
  }
  if (strike.replies.advertisement) {
    // Only of a server that failed is the advertisement asked for again.
    front.replies = { refs: status(500), ...strike.replies };
    await victim.application.refresh();
    return;
  }
  front.replies = strike.replies;
}

/** What a loaded machine may say first, for want of time. */
const HASTY = ['Timeout', 'Killed'];

async function untilTold({ ends }: Attack, { application }: Subject): Promise<Told> {
  let told = verdictOf(await application.refresh());
  await eventually(async () => {
    if (ends.includes(told.reason) || !HASTY.includes(told.reason)) return true;
    told = verdictOf(await application.refresh());
    return undefined;
  });
  return told;
}

interface Told {
  readonly reason: string;
  readonly message: string;
}

/** The most telling of the conditions that are not as they should be. */
function verdictOf(application: Json): Told {
  const conditions = at(application, 'status', 'conditions') as readonly Json[];
  for (const type of ['SourceReady', 'Rendered', 'Ready']) {
    const found = conditions.find((condition) => at(condition, 'type') === type);
    if (at(found, 'status') !== 'False') continue;
    return { reason: String(at(found, 'reason')), message: String(at(found, 'message')) };
  }
  return { reason: 'Ready', message: '' };
}

/** What a terminal obeys, and what makes text read otherwise than it stands. */
const UNFIT = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/;

async function expectCleanWords(world: World, words: { readonly text: string }): Promise<void> {
  const applications = await world.read('/apis/tautline.dev/v1alpha1/applications');
  const events = await world.read('/apis/events.k8s.io/v1/events');
  const statuses = (at(applications, 'items') as unknown[]).map((item) => at(item, 'status'));
  const notes = (at(events, 'items') as unknown[]).filter((event) =>
    String(at(event, 'reportingController')).includes('tautline'),
  );
  assert.ok(notes.length > 0, 'there are Events');
  for (const [what, value] of Object.entries({ 'the log': words.text, status: statuses, 'an Event': notes })) {
    for (const said of stringsOf(value)) {
      const spoilt = UNFIT.exec(said);
      const near = JSON.stringify(said.slice(Math.max(0, (spoilt?.index ?? 0) - 80), (spoilt?.index ?? 0) + 80));
      assert.equal(spoilt, null, `${what} holds what a terminal obeys: ${near}`);
      assert.ok(!said.includes(CANARY), `${what} repeats what it must not know: ${said.slice(0, 300)}`);
      assert.doesNotMatch(said, /root:x:0:0/, `${what} repeats a file of the machine`);
    }
  }
}

/** Every text within a value, keys included. */
function stringsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => [key, ...stringsOf(item)]);
}
