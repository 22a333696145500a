/**
 * The environment of the attacks: one world, one agent with low limits, a victim whose repository turns hostile, and a
 * neighbour whose repository gets a commit during each attack.
 *
 * Invariant: during each attack the victim's objects stay as they are, and the neighbour's commit is applied. Status,
 * Events and log contain no text of a file outside the repository and no terminal control characters. After the attack,
 * a good commit of the victim is applied to the same objects.
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

/** Limits so low that attacks reach them quickly. */
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

/** A text in a file outside of every repository, and in the neighbour's repository. The agent must never repeat it. */
export const CANARY = 'canary-7f3a-outside';

export interface Arena extends AsyncDisposable {
  readonly world: World;
  readonly front: Front;
  /** Path of a file outside of every repository: a ConfigMap that contains the canary. */
  readonly canaryFile: string;
  /** The agent's data folder. */
  readonly dataDir: string;
  /** Stops the agent and starts another one with the same data folder. */
  restart(): Promise<void>;
  /** Carries out an attack and asserts that it ends as expected. */
  withstand(attack: Attack): Promise<Withstood>;
  /** Asserts that a commit to the neighbour's repository is applied. */
  expectNeighbourGoesOn(): Promise<void>;
  /** Asserts that log, status and Events contain no terminal control characters, and not the canary. */
  expectCleanOutput(): Promise<void>;
  /** Peak memory of the running agent and its children so far. */
  peak(): PeakMemory;
}

export interface Withstood extends Reported {
  readonly name: string;
  /** Time from the start of the attack to the report in status. */
  readonly reportedMs: number;
  /** Time until the neighbour's commit was applied. */
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
    expectCleanOutput: () => expectCleanOutput(world, words),
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
  const reported = await untilReported(attack, victim);
  const reportedMs = Math.round(performance.now() - startMs);
  const outcome = `${attack.name} ended as ${reported.reason}: ${reported.message}`;
  assert.ok(attack.expected.includes(reported.reason), outcome);
  if (attack.message) assert.match(reported.message, attack.message, outcome);
  assert.doesNotMatch(reported.message, /\n\s+at |node:internal|\/src\/|unexpectedly/, outcome);
  const after = await victim.configMap('kept');
  assert.equal(fingerprint(after), fingerprint(kept), `${attack.name}: the applied object has changed`);
  const waitedMs = await neighbourMs;
  front.replies = {};
  const commit = await victim.repository.commit(goodFiles(round + 1), { replaceAll: true });
  await victim.application.refresh();
  await victim.application.untilReady(commit);
  const applied = await victim.configMap('kept');
  assert.equal(at(applied, 'data', 'round'), String(round + 1), `${attack.name}: a good commit was not applied`);
  assert.equal(at(applied, 'metadata', 'uid'), at(kept, 'metadata', 'uid'), `${attack.name}: the object was replaced`);
  return { name: attack.name, reportedMs, neighbourMs: waitedMs, ...reported };
}

async function timed(run: () => Promise<void>): Promise<number> {
  const startMs = performance.now();
  await run();
  return Math.round(performance.now() - startMs);
}

async function strike({ strike, expected }: Attack, { front, victim }: Scene, round: number): Promise<void> {
  const kept: Record<string, FileChange> = expected.includes('Ready') ? goodFiles(round) : {};
  if (strike.type === 'files') {
    const message = strike.message ?? 'Attack';
    await victim.repository.commit({ ...strike.files, ...kept }, { replaceAll: true, message });
    return;
  }
  if (strike.replies.advertisement) {
    // The agent requests the advertisement again only after the server has failed.
    front.replies = { refs: status(500), ...strike.replies };
    await victim.application.refresh();
    return;
  }
  front.replies = strike.replies;
}

/** Reasons that the agent may report first on a loaded machine. */
const REASONS_UNDER_LOAD = ['Timeout', 'Killed'];

async function untilReported({ expected }: Attack, { application }: Subject): Promise<Reported> {
  let reported = reportedBy(await application.refresh());
  await eventually(async () => {
    if (expected.includes(reported.reason) || !REASONS_UNDER_LOAD.includes(reported.reason)) return true;
    reported = reportedBy(await application.refresh());
    return undefined;
  });
  return reported;
}

interface Reported {
  readonly reason: string;
  readonly message: string;
}

/** Reason and message of the first False condition, in the order of the pipeline; `Ready` if none is False. */
function reportedBy(application: Json): Reported {
  const conditions = at(application, 'status', 'conditions') as readonly Json[];
  for (const type of ['SourceReady', 'Rendered', 'Ready']) {
    const found = conditions.find((condition) => at(condition, 'type') === type);
    if (at(found, 'status') !== 'False') continue;
    return { reason: String(at(found, 'reason')), message: String(at(found, 'message')) };
  }
  return { reason: 'Ready', message: '' };
}

/** Control characters that a terminal obeys, and invisible or bidirectional ones that change how a text reads. */
const CONTROL_CHARACTERS =
  /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/;

async function expectCleanOutput(world: World, words: { readonly text: string }): Promise<void> {
  const applications = await world.read('/apis/tautline.dev/v1alpha1/applications');
  const events = await world.read('/apis/events.k8s.io/v1/events');
  const statuses = (at(applications, 'items') as unknown[]).map((item) => at(item, 'status'));
  const agentEvents = (at(events, 'items') as unknown[]).filter((event) =>
    String(at(event, 'reportingController')).includes('tautline'),
  );
  assert.ok(agentEvents.length > 0, 'the agent wrote no Events');
  for (const [place, value] of Object.entries({ 'the log': words.text, status: statuses, 'an Event': agentEvents })) {
    for (const text of stringsOf(value)) {
      const found = CONTROL_CHARACTERS.exec(text);
      const near = JSON.stringify(text.slice(Math.max(0, (found?.index ?? 0) - 80), (found?.index ?? 0) + 80));
      assert.equal(found, null, `${place} contains a control character: ${near}`);
      assert.ok(!text.includes(CANARY), `${place} contains the canary: ${text.slice(0, 300)}`);
      assert.doesNotMatch(text, /root:x:0:0/, `${place} contains text of /etc/passwd`);
    }
  }
}

/** All strings within a value, keys included. */
function stringsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => [key, ...stringsOf(item)]);
}
