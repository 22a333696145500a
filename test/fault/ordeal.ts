/**
 * Trials of the whole agent: a commit, hand edits, a fault of the API server or of Git, a kill at a named point, alone
 * or beside a second agent. Afterwards the cluster must equal Git, and whatever Git held all the time must be the very
 * object (by uid) that it was.
 *
 * Invariant: a trial is plain data; what a trial of the same data does is the same but for the machine's timing.
 */
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { FAULT_POINTS, type FaultPoint } from '../../src/reconcile/context.ts';
import type { RunningAgent } from '../support/agent.ts';
import { conditionOf, eventually, type Json, type World } from '../support/world.ts';
import { apiRule, gitHook, type ApiFault, type GitFault } from './faults.ts';
import { startFaultProxy, type FaultProxy } from './proxy.ts';
import { configMap, text, type Manifest } from '../support/objects.ts';
import { configMapPath, declareSubject, type Subject } from '../support/scene.ts';

const FAULTY_AGENT = fileURLToPath(new URL('../support/agent-with-faults.ts', import.meta.url));

/** Objects that a subject may have; always at least `LEAST_OBJECTS` of them are in Git. */
export const OBJECTS = 24;
const LEAST_OBJECTS = 16;
export const SUBJECTS = 4;

/** Beside them: what the API server lets nobody change, and what may be made anew for that. */
const SEALED = 'sealed';

export interface Trial {
  readonly subject: number;
  /** Of the subject's objects, by index: what the commit does. */
  readonly commit: readonly { readonly index: number; readonly action: 'change' | 'toggle' }[];
  /** What somebody does by hand at the same time. */
  readonly hand: readonly { readonly index: number; readonly action: 'change' | 'delete' | 'unlabel' }[];
  readonly api?: ApiFault;
  readonly git?: GitFault;
  readonly kill?: { readonly point: FaultPoint; readonly count: number };
  /** A second agent works beside the first. */
  readonly isPaired: boolean;
  /** The commit also changes the object that cannot be changed in place and is to be deleted and made anew for that. */
  readonly isRecreation?: boolean;
  /** The Application is deleted with its objects, in place of commit and hand edits, and declared anew afterwards. */
  readonly isDeletion?: boolean;
}

export interface TrialResult {
  /** Whether the cluster came to equal Git in time. */
  readonly isConverged: boolean;
  /** Objects that Git held before and after, and that are not the same objects any more. */
  readonly unintendedDeletes: readonly string[];
  /** What is not so, for people. */
  readonly findings: readonly string[];
  readonly wasKilled: boolean;
}

export interface Ordeal extends AsyncDisposable {
  run(trial: Trial): Promise<TrialResult>;
}

interface Sufferer extends Subject {
  /** What Git says: value by object name. */
  readonly wanted: Map<string, string>;
}

interface Scene {
  readonly world: World;
  readonly proxy: FaultProxy;
  readonly sufferers: readonly Sufferer[];
  /** The agent that works between and, unless it is to be killed, during trials. */
  steady: RunningAgent | undefined;
  round: number;
}

/** Faults end within seconds, and so must what the agent waits for; all else is as people run it. */
const QUICK = [
  ...['--min-backoff', '50ms', '--max-backoff', '1s', '--min-poll-backoff', '50ms', '--max-poll-backoff', '1s'],
  ...['--request-timeout', '2s', '--git-timeout', '2s', '--progress-check', '500ms'],
];

/** Beyond what the longest chain of faults and backoffs takes on a loaded machine. */
const CONVERGENCE_MS = 90_000;

export async function startOrdeal(world: World): Promise<Ordeal> {
  const { plane } = world;
  await using stack = new AsyncDisposableStack();
  const proxy = stack.use(await startFaultProxy({ target: plane.url, caFile: plane.caFile, token: plane.adminToken }));
  const sufferers: Sufferer[] = [];
  for (let index = 0; index < SUBJECTS; index++) sufferers.push(await makeSufferer(world, `ordeal-${index}`));
  const scene: Scene = { world, proxy, sufferers, steady: undefined, round: 0 };
  stack.defer(async () => scene.steady?.[Symbol.asyncDispose]());
  scene.steady = await startAgent(scene);
  for (const { application } of sufferers) await application.untilReady();
  const owned = stack.move();
  return {
    run: (trial) => (trial.isDeletion ? runDeletion(scene, trial) : runTrial(scene, trial)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function makeSufferer(world: World, name: string): Promise<Sufferer> {
  const wanted = new Map([...names(), SEALED].map((object) => [object, 'first']));
  const subject = await declareSubject(world, name, { files: filesOf(wanted), spec: { health: { wait: true } } });
  await world.apply(configMap('bystander', { own: 'yes' }, { namespace: name }));
  return { ...subject, wanted };
}

async function runTrial(scene: Scene, trial: Trial): Promise<TrialResult> {
  const { world, proxy } = scene;
  const sufferer = scene.sufferers[trial.subject % SUBJECTS] as Sufferer;
  const round = ++scene.round;
  const before = await liveUids(world, sufferer);
  const wantedBefore = new Set(sufferer.wanted.keys());
  changeWish(sufferer, trial, round);
  const killed = trial.kill ? await startToKill(scene, trial) : undefined;
  if (trial.isPaired) scene.steady ??= await startAgent(scene);
  if (trial.api) proxy.rules.push(apiRule(trial.api));
  if (trial.git) world.git.onRequest = gitHook(trial.git, `/${sufferer.name}.git/`);
  const [commit] = await Promise.all([
    sufferer.repository.commit(filesOf(sufferer.wanted), { replaceAll: true }),
    ...trial.hand.map((edit) => editByHand(world, sufferer, edit, round)),
  ]);
  await askForRefresh(world, sufferer, `round-${round}`);
  const wasKilled = killed ? await awaitKill(killed, () => untilEqual(world, sufferer, commit)) : false;
  scene.steady ??= await startAgent(scene);
  const findings = await untilEqual(world, sufferer, commit);
  proxy.rules.length = 0;
  world.git.onRequest = undefined;
  const after = await liveUids(world, sufferer);
  const byHand = new Set(trial.hand.filter(({ action }) => action === 'delete').map(({ index }) => nameOf(index)));
  const isMeantToGo = (name: string): boolean => byHand.has(name) || (trial.isRecreation === true && name === SEALED);
  const kept = [...sufferer.wanted.keys()].filter((name) => wantedBefore.has(name) && !isMeantToGo(name));
  const unintendedDeletes = [...kept, 'bystander'].filter(
    (name) => before.get(name) !== undefined && before.get(name) !== after.get(name),
  );
  return { isConverged: findings.length === 0, unintendedDeletes, findings, wasKilled };
}

async function runDeletion(scene: Scene, trial: Trial): Promise<TrialResult> {
  const { world } = scene;
  const sufferer = scene.sufferers[trial.subject % SUBJECTS] as Sufferer;
  const { name, namespace, application } = sufferer;
  const before = await liveUids(world, sufferer);
  const killed = trial.kill ? await startToKill(scene, trial) : undefined;
  await application.remove();
  const isGone = async (): Promise<true | undefined> => ((await application.read()) === undefined ? true : undefined);
  const wasKilled = killed ? await awaitKill(killed, () => eventually(isGone)) : false;
  scene.steady ??= await startAgent(scene);
  const findings = (await eventually(isGone)) ? [] : ['the Application is still there'];
  const after = await liveUids(world, sufferer);
  for (const object of sufferer.wanted.keys()) if (after.has(object)) findings.push(`${object} is still there`);
  const isBystanderSame = before.get('bystander') === after.get('bystander');
  const spec = { source: { repoURL: sufferer.repository.url }, destination: { namespace } };
  await (await world.declare(name, { ...spec, health: { wait: true } })).untilReady();
  return {
    isConverged: findings.length === 0,
    unintendedDeletes: isBystanderSame ? [] : ['bystander'],
    findings,
    wasKilled,
  };
}

/** Applies the trial's commit to the wish; objects are only taken out while enough are left for the prune guard. */
function changeWish({ wanted }: Sufferer, { commit, isRecreation = false }: Trial, round: number): void {
  if (isRecreation) wanted.set(SEALED, `round ${round}`);
  for (const { index, action } of commit) {
    const name = nameOf(index);
    if (action === 'toggle' && wanted.has(name)) {
      if (wanted.size > LEAST_OBJECTS) wanted.delete(name);
    } else wanted.set(name, `round ${round}`);
  }
}

async function startAgent({ proxy, world }: Scene): Promise<RunningAgent> {
  return world.agent({ kubeconfig: proxy.kubeconfig, flags: QUICK });
}

/** With a second agent the steady one goes on beside it; without, it ends first. */
async function startToKill(scene: Scene, { kill, isPaired }: Trial): Promise<RunningAgent> {
  if (!isPaired) {
    await scene.steady?.stop();
    scene.steady = undefined;
  }
  const { point = FAULT_POINTS[0], count = 1 } = kill ?? {};
  return scene.world.agent({
    kubeconfig: scene.proxy.kubeconfig,
    entry: FAULTY_AGENT,
    flags: [...QUICK, '--kill-at', point, '--kill-at-count', String(count)],
  });
}

/** Until it is dead, or there was nothing that led it to its point: then it is killed where it stands. */
async function awaitKill(agent: RunningAgent, untilDone: () => Promise<unknown>): Promise<boolean> {
  const { process } = agent;
  const dead = (): boolean => process.exitCode !== null || process.signalCode !== null;
  const died = dead() ? Promise.resolve() : once(process, 'exit').then(() => undefined);
  await Promise.race([died, untilDone()]);
  const wasKilled = dead();
  await agent.kill();
  return wasKilled;
}

async function editByHand(
  world: World,
  { namespace }: Sufferer,
  { index, action }: Trial['hand'][number],
  round: number,
): Promise<void> {
  const path = configMapPath(namespace, nameOf(index));
  if (action === 'delete') return void (await world.plane.request('DELETE', path));
  const live = await world.read(path);
  if (!live) return;
  const edited = structuredClone(live) as unknown as { data: object; metadata: { labels: object } };
  if (action === 'change') edited.data = { value: `by hand ${round}` };
  else edited.metadata.labels = {};
  // Meeting the agent's own write is part of the trial.
  await world.plane.request('PUT', path, edited);
}

async function askForRefresh(world: World, { application }: Sufferer, id: string): Promise<void> {
  await eventually(async () => {
    const stored = structuredClone(await application.read()) as unknown as { metadata: { annotations?: object } };
    const request = { 'tautline.dev/request': JSON.stringify({ id, action: 'refresh' }) };
    stored.metadata.annotations = { ...stored.metadata.annotations, ...request };
    const { code } = await world.plane.request('PUT', application.path, stored);
    return code === 200 ? true : undefined;
  });
}

/** What is not as Git says when patience ends; empty as soon as all is. */
async function untilEqual(world: World, sufferer: Sufferer, commit: string): Promise<string[]> {
  let findings: string[] = [];
  const startedMs = performance.now();
  do {
    findings = await differences(world, sufferer, commit);
    if (findings.length > 0) await new Promise((resolve) => setTimeout(resolve, 100));
  } while (findings.length > 0 && performance.now() - startedMs < CONVERGENCE_MS);
  return findings;
}

async function differences(world: World, { namespace, application, wanted }: Sufferer, commit: string) {
  const findings: string[] = [];
  const stored = await application.read();
  const ready = stored && conditionOf(stored, 'Ready');
  const isReady = ready?.['status'] === ('True' as unknown);
  const revision = String(stored?.['status']?.['sync']?.['revision']);
  if (!isReady) findings.push(`not Ready: ${String(ready?.['reason'])}: ${String(ready?.['message'])}`);
  if (!revision.endsWith(commit)) findings.push(`status is at ${revision}`);
  const live = new Map((await listConfigMaps(world, namespace)).map((item) => [nameIn(item), item]));
  for (const [name, value] of wanted) {
    const data = live.get(name)?.['data'];
    if (data?.['value'] !== (value as unknown)) findings.push(`${name} is not as Git says`);
  }
  for (const [name, item] of live) {
    const isOurs = item['metadata']?.['labels']?.['applyset.kubernetes.io/part-of'] !== undefined;
    if (isOurs && !wanted.has(name)) findings.push(`${name} is still there`);
    if (wanted.has(name) && !isOurs) findings.push(`${name} carries no label`);
  }
  return findings;
}

async function liveUids(world: World, { namespace }: Sufferer): Promise<Map<string, string>> {
  const items = await listConfigMaps(world, namespace);
  return new Map(items.map((item) => [nameIn(item), String(item['metadata']?.['uid'])]));
}

async function listConfigMaps(world: World, namespace: string): Promise<Json[]> {
  const list = await world.read(`/api/v1/namespaces/${namespace}/configmaps`);
  return (list?.['items'] ?? []) as unknown as Json[];
}

function nameIn(item: Json): string {
  return String(item['metadata']?.['name']);
}

function names(): string[] {
  return Array.from({ length: OBJECTS }, (_item, index) => nameOf(index));
}

function nameOf(index: number): string {
  return `object-${String(index % OBJECTS).padStart(2, '0')}`;
}

function filesOf(wanted: ReadonlyMap<string, string>): Record<string, string> {
  return Object.fromEntries(
    [...wanted].map(([name, value]) => [`${name}.yaml`, text(manifestOf(name, value))] as const),
  );
}

function manifestOf(name: string, value: string): Manifest {
  if (name !== SEALED) return configMap(name, { value });
  const metadata = { annotations: { 'argocd.argoproj.io/sync-options': 'Force=true' } };
  return { ...configMap(name, { value }, metadata), immutable: true };
}
