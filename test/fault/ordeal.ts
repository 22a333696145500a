/**
 * Carries out trials of the whole agent against one control plane, several at a time: sets the faults, kills the agent
 * at a named point, starts the next one, and collects the verdicts of the situations.
 *
 * Invariant: trials that run at the same time share the agents and nothing else (`areCompatible`). A fault of an agent
 * concerns all of them, and each must reach its own expected end.
 */
import { once } from 'node:events';
import { FAULT_POINTS } from '../../src/reconcile/context.ts';
import type { RunningAgent } from '../support/agent.ts';
import type { GitRequestHook } from '../support/git-server.ts';
import type { World } from '../support/world.ts';
import { apiRule } from './faults.ts';
import { startFaultProxy, type FaultProxy } from './proxy.ts';
import { prepareCommits } from './situations/commits.ts';
import { prepareFight } from './situations/fight.ts';
import { prepareGuard } from './situations/guard.ts';
import { prepareJobs } from './situations/jobs.ts';
import { prepareLag } from './situations/lag.ts';
import { prepareLarge } from './situations/large.ts';
import { prepareSpecs } from './situations/specs.ts';
import type { Ground, Stage } from './stage.ts';
import { groundOf, type Trial, type TrialResult } from './trial.ts';
import { startWitness } from './witness.ts';
import { builtFile } from '../support/built-program.ts';

const FAULTY_AGENT = builtFile('agent-with-faults.js');

export interface Ordeal extends AsyncDisposable {
  /** Runs compatible trials at the same time. Resolves to their results, in the same order. */
  run(trials: readonly Trial[]): Promise<TrialResult[]>;
}

interface Scene {
  readonly stage: Stage;
  readonly proxy: FaultProxy;
  readonly grounds: Map<string, Ground>;
  starts: number;
  hasTwoAgents: boolean;
  /** The agent that is never killed. It runs between trials, and during them unless another agent replaces it. */
  steadyAgent: RunningAgent | undefined;
}

/** Waits of the agent are short, since faults end within seconds. All other settings have their defaults. */
const SHORT_WAITS = [
  ...['--min-backoff', '50ms', '--max-backoff', '1s', '--min-poll-backoff', '50ms', '--max-poll-backoff', '1s'],
  ...['--request-timeout', '4s', '--git-timeout', '4s', '--progress-check', '500ms'],
];

const GROUNDS: Readonly<Record<string, (stage: Stage) => Promise<Ground>>> = {
  specs: prepareSpecs,
  lag: prepareLag,
  jobs: prepareJobs,
  fight: prepareFight,
  guard: prepareGuard,
  large: prepareLarge,
};

export async function startOrdeal(world: World): Promise<Ordeal> {
  const { plane } = world;
  await using stack = new AsyncDisposableStack();
  const witness = stack.use(await startWitness(plane));
  const proxy = stack.use(await startFaultProxy({ target: plane.url, caFile: plane.caFile, token: plane.adminToken }));
  const gitHooks = new Map<string, GitRequestHook>();
  world.git.onRequest = async (request) => {
    for (const [prefix, hook] of gitHooks) if (request.path.startsWith(prefix)) return hook(request);
    return undefined;
  };
  let serial = 0;
  const stage: Stage = {
    ...{ world, witness, gitHooks },
    hasTwoAgents: () => scene.hasTwoAgents,
    starts: () => scene.starts,
    next: () => ++serial,
  };
  const scene: Scene = { stage, proxy, grounds: new Map(), starts: 0, hasTwoAgents: false, steadyAgent: undefined };
  stack.defer(async () => scene.steadyAgent?.[Symbol.asyncDispose]());
  scene.steadyAgent = await startAgent(scene);
  const owned = stack.move();
  return { run: (trials) => runBatch(scene, trials), [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function runBatch(scene: Scene, trials: readonly Trial[]): Promise<TrialResult[]> {
  const grounds = await Promise.all(trials.map((trial) => groundFor(scene, trial)));
  const lethal = trials.find(({ kill }) => kill !== undefined);
  scene.hasTwoAgents = lethal?.isPaired === true;
  const killed = lethal ? await startToKill(scene, lethal) : undefined;
  for (const { api } of trials) if (api) scene.proxy.rules.push(apiRule(api));
  const playing = Promise.all(trials.map((trial, index) => (grounds[index] as Ground).play(trial)));
  const wasKilled = killed ? await awaitKill(killed, playing) : false;
  scene.steadyAgent ??= await startAgent(scene);
  const verdicts = await playing;
  scene.hasTwoAgents = false;
  scene.proxy.rules.length = 0;
  scene.proxy.forget();
  return verdicts.map((verdict, index) => ({ ...verdict, wasKilled: wasKilled && trials[index] === lethal }));
}

/** The Applications of a situation are declared when the first trial needs them. */
async function groundFor(scene: Scene, trial: Trial): Promise<Ground> {
  const name = groundOf(trial);
  const known = scene.grounds.get(name);
  if (known) return known;
  const prepare = GROUNDS[name] ?? ((stage: Stage) => prepareCommits(stage, name));
  const ground = await prepare(scene.stage);
  scene.grounds.set(name, ground);
  // A loaded machine may need longer for the first sync than one wait of a test is patient.
  for (let tries = 1; tries < 3; tries++) if (await isReady(ground)) return ground;
  await ground.untilReady();
  return ground;
}

function isReady(ground: Ground): Promise<boolean> {
  return ground.untilReady().then(
    () => true,
    () => false,
  );
}

async function startAgent(scene: Scene): Promise<RunningAgent> {
  const { proxy, stage } = scene;
  scene.starts++;
  return stage.world.agent({ kubeconfig: proxy.kubeconfig, flags: SHORT_WAITS });
}

/** Starts an agent that kills itself at the trial's point. Unless the trial is paired, the steady agent ends first. */
async function startToKill(scene: Scene, { kill, isPaired }: Trial): Promise<RunningAgent> {
  if (!isPaired) {
    await scene.steadyAgent?.stop();
    scene.steadyAgent = undefined;
  }
  scene.starts++;
  const { point = FAULT_POINTS[0], count = 1 } = kill ?? {};
  return scene.stage.world.agent({
    kubeconfig: scene.proxy.kubeconfig,
    entry: FAULTY_AGENT,
    flags: [...SHORT_WAITS, '--kill-at', point, '--kill-at-count', String(count)],
  });
}

/**
 * Waits until the agent is dead or the trials have ended; in the second case nothing led it to its point, and it is
 * killed now. Resolves to whether it died at its point.
 */
async function awaitKill(agent: RunningAgent, playing: Promise<unknown>): Promise<boolean> {
  const { process } = agent;
  const isDead = (): boolean => process.exitCode !== null || process.signalCode !== null;
  const died = isDead() ? Promise.resolve() : once(process, 'exit').then(() => undefined);
  await Promise.race([died, playing]);
  const wasKilled = isDead();
  await agent.kill();
  return wasKilled;
}
