/**
 * Trials of the whole agent. A trial combines a commit, hand edits, a fault of the API server or of Git, and a kill at
 * a named point, with one agent or with two. Afterwards the cluster must equal Git, and each object that was in Git all
 * the time must have kept its uid.
 *
 * Invariant: a trial is plain data. Two runs of equal trials differ only in the machine's timing.
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

/** Objects that a subject can have in Git. A commit removes one only while more than `LEAST_OBJECTS` are there. */
export const OBJECTS = 24;
const LEAST_OBJECTS = 16;
export const SUBJECTS = 4;

/** One object more: an immutable ConfigMap that the agent may delete and create again to change it. */
const SEALED = 'sealed';

export interface Trial {
  readonly subject: number;
  /** Changes in Git, by index of the object. `toggle` removes the object, or adds it if it is absent. */
  readonly commit: readonly { readonly index: number; readonly action: 'change' | 'toggle' }[];
  /** Edits of live objects at the same time, by index of the object. */
  readonly handEdits: readonly { readonly index: number; readonly action: 'change' | 'delete' | 'unlabel' }[];
  readonly api?: ApiFault;
  readonly git?: GitFault;
  readonly kill?: { readonly point: FaultPoint; readonly count: number };
  /** Whether another agent keeps running beside the one that is killed. */
  readonly isPaired: boolean;
  /** Whether the commit also changes the immutable object, which the agent has to delete and create again for that. */
  readonly isRecreation?: boolean;
  /** Whether the Application is deleted, instead of a commit and hand edits, and declared again afterwards. */
  readonly isDeletion?: boolean;
}

export interface TrialResult {
  /** Whether the expected end was reached within the time limit. */
  readonly isConverged: boolean;
  /** Objects that had to stay and are gone or have another uid: those in Git before and after, and the bystander. */
  readonly unintendedDeletes: readonly string[];
  /** Differences from the expected end, as text for a failure message. */
  readonly findings: readonly string[];
  /** Whether the agent reached its point and was killed there. */
  readonly wasKilled: boolean;
}

export interface Ordeal extends AsyncDisposable {
  run(trial: Trial): Promise<TrialResult>;
}

interface TrialSubject extends Subject {
  /** Values by object name, as Git has them. */
  readonly wanted: Map<string, string>;
}

interface Scene {
  readonly world: World;
  readonly proxy: FaultProxy;
  readonly subjects: readonly TrialSubject[];
  /** The agent that is never killed. It runs between trials, and during them unless another agent replaces it. */
  steadyAgent: RunningAgent | undefined;
  round: number;
}

/** Waits of the agent are short, since faults end within seconds. All other settings have their defaults. */
const SHORT_WAITS = [
  ...['--min-backoff', '50ms', '--max-backoff', '1s', '--min-poll-backoff', '50ms', '--max-poll-backoff', '1s'],
  ...['--request-timeout', '2s', '--git-timeout', '2s', '--progress-check', '500ms'],
];

/** Longer than the longest chain of faults and backoffs takes on a loaded machine. */
const CONVERGENCE_MS = 90_000;

export async function startOrdeal(world: World): Promise<Ordeal> {
  const { plane } = world;
  await using stack = new AsyncDisposableStack();
  const proxy = stack.use(await startFaultProxy({ target: plane.url, caFile: plane.caFile, token: plane.adminToken }));
  const subjects: TrialSubject[] = [];
  for (let index = 0; index < SUBJECTS; index++) subjects.push(await makeSubject(world, `ordeal-${index}`));
  const scene: Scene = { world, proxy, subjects, steadyAgent: undefined, round: 0 };
  stack.defer(async () => scene.steadyAgent?.[Symbol.asyncDispose]());
  scene.steadyAgent = await startAgent(scene);
  for (const { application } of subjects) await application.untilReady();
  const owned = stack.move();
  return {
    run: (trial) => (trial.isDeletion ? runDeletion(scene, trial) : runTrial(scene, trial)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function makeSubject(world: World, name: string): Promise<TrialSubject> {
  const wanted = new Map([...names(), SEALED].map((object) => [object, 'first']));
  const subject = await declareSubject(world, name, { files: filesOf(wanted), spec: { health: { wait: true } } });
  await world.apply(configMap('bystander', { own: 'yes' }, { namespace: name }));
  return { ...subject, wanted };
}

async function runTrial(scene: Scene, trial: Trial): Promise<TrialResult> {
  const { world, proxy } = scene;
  const subject = scene.subjects[trial.subject % SUBJECTS] as TrialSubject;
  const round = ++scene.round;
  const before = await liveUids(world, subject);
  const namesBefore = new Set(subject.wanted.keys());
  changeWanted(subject, trial, round);
  const killed = trial.kill ? await startToKill(scene, trial) : undefined;
  if (trial.isPaired) scene.steadyAgent ??= await startAgent(scene);
  if (trial.api) proxy.rules.push(apiRule(trial.api));
  if (trial.git) world.git.onRequest = gitHook(trial.git, `/${subject.name}.git/`);
  const [commit] = await Promise.all([
    subject.repository.commit(filesOf(subject.wanted), { replaceAll: true }),
    ...trial.handEdits.map((edit) => editByHand(world, subject, edit, round)),
  ]);
  await askForRefresh(world, subject, `round-${round}`);
  const wasKilled = killed ? await awaitKill(killed, () => untilEqual(world, subject, commit)) : false;
  scene.steadyAgent ??= await startAgent(scene);
  const findings = await untilEqual(world, subject, commit);
  proxy.rules.length = 0;
  world.git.onRequest = undefined;
  const after = await liveUids(world, subject);
  const deletedByHand = new Set(
    trial.handEdits.filter(({ action }) => action === 'delete').map(({ index }) => nameOf(index)),
  );
  const mayBeReplaced = (name: string): boolean =>
    deletedByHand.has(name) || (trial.isRecreation === true && name === SEALED);
  const kept = [...subject.wanted.keys()].filter((name) => namesBefore.has(name) && !mayBeReplaced(name));
  const unintendedDeletes = [...kept, 'bystander'].filter(
    (name) => before.get(name) !== undefined && before.get(name) !== after.get(name),
  );
  return { isConverged: findings.length === 0, unintendedDeletes, findings, wasKilled };
}

async function runDeletion(scene: Scene, trial: Trial): Promise<TrialResult> {
  const { world } = scene;
  const subject = scene.subjects[trial.subject % SUBJECTS] as TrialSubject;
  const { name, namespace, application } = subject;
  const before = await liveUids(world, subject);
  const killed = trial.kill ? await startToKill(scene, trial) : undefined;
  await application.remove();
  const isGone = async (): Promise<true | undefined> => ((await application.read()) === undefined ? true : undefined);
  const wasKilled = killed ? await awaitKill(killed, () => eventually(isGone)) : false;
  scene.steadyAgent ??= await startAgent(scene);
  const findings = (await eventually(isGone)) ? [] : ['the Application is still there'];
  const after = await liveUids(world, subject);
  for (const object of subject.wanted.keys()) if (after.has(object)) findings.push(`${object} is still there`);
  const isBystanderSame = before.get('bystander') === after.get('bystander');
  const spec = { source: { repoURL: subject.repository.url }, destination: { namespace } };
  await (await world.declare(name, { ...spec, health: { wait: true } })).untilReady();
  return {
    isConverged: findings.length === 0,
    unintendedDeletes: isBystanderSame ? [] : ['bystander'],
    findings,
    wasKilled,
  };
}

/** Applies the trial's commit to `wanted`. Enough objects stay in Git that the prune guard does not stop the sync. */
function changeWanted({ wanted }: TrialSubject, { commit, isRecreation = false }: Trial, round: number): void {
  if (isRecreation) wanted.set(SEALED, `round ${round}`);
  for (const { index, action } of commit) {
    const name = nameOf(index);
    if (action === 'toggle' && wanted.has(name)) {
      if (wanted.size > LEAST_OBJECTS) wanted.delete(name);
    } else wanted.set(name, `round ${round}`);
  }
}

async function startAgent({ proxy, world }: Scene): Promise<RunningAgent> {
  return world.agent({ kubeconfig: proxy.kubeconfig, flags: SHORT_WAITS });
}

/** Starts an agent that kills itself at the trial's point. Unless the trial is paired, the steady agent ends first. */
async function startToKill(scene: Scene, { kill, isPaired }: Trial): Promise<RunningAgent> {
  if (!isPaired) {
    await scene.steadyAgent?.stop();
    scene.steadyAgent = undefined;
  }
  const { point = FAULT_POINTS[0], count = 1 } = kill ?? {};
  return scene.world.agent({
    kubeconfig: scene.proxy.kubeconfig,
    entry: FAULTY_AGENT,
    flags: [...SHORT_WAITS, '--kill-at', point, '--kill-at-count', String(count)],
  });
}

/**
 * Waits until the agent is dead or `untilDone` resolves; in the second case nothing led it to its point, and it is
 * killed now. Resolves to whether it died at its point.
 */
async function awaitKill(agent: RunningAgent, untilDone: () => Promise<unknown>): Promise<boolean> {
  const { process } = agent;
  const isDead = (): boolean => process.exitCode !== null || process.signalCode !== null;
  const died = isDead() ? Promise.resolve() : once(process, 'exit').then(() => undefined);
  await Promise.race([died, untilDone()]);
  const wasKilled = isDead();
  await agent.kill();
  return wasKilled;
}

async function editByHand(
  world: World,
  { namespace }: TrialSubject,
  { index, action }: Trial['handEdits'][number],
  round: number,
): Promise<void> {
  const path = configMapPath(namespace, nameOf(index));
  if (action === 'delete') return void (await world.plane.request('DELETE', path));
  const live = await world.read(path);
  if (!live) return;
  const edited = structuredClone(live) as unknown as { data: object; metadata: { labels: object } };
  if (action === 'change') edited.data = { value: `by hand ${round}` };
  else edited.metadata.labels = {};
  // The answer is not checked, since a conflict with the agent's own write is part of the trial.
  await world.plane.request('PUT', path, edited);
}

async function askForRefresh(world: World, { application }: TrialSubject, id: string): Promise<void> {
  await eventually(async () => {
    const stored = structuredClone(await application.read()) as unknown as { metadata: { annotations?: object } };
    const request = { 'tautline.dev/request': JSON.stringify({ id, action: 'refresh' }) };
    stored.metadata.annotations = { ...stored.metadata.annotations, ...request };
    const { code } = await world.plane.request('PUT', application.path, stored);
    return code === 200 ? true : undefined;
  });
}

/** Waits until the cluster equals Git, at most `CONVERGENCE_MS`; resolves to the differences that are left. */
async function untilEqual(world: World, subject: TrialSubject, commit: string): Promise<string[]> {
  let findings: string[] = [];
  const startedMs = performance.now();
  do {
    findings = await differences(world, subject, commit);
    if (findings.length > 0) await new Promise((resolve) => setTimeout(resolve, 100));
  } while (findings.length > 0 && performance.now() - startedMs < CONVERGENCE_MS);
  return findings;
}

async function differences(world: World, { namespace, application, wanted }: TrialSubject, commit: string) {
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
    if (data?.['value'] !== (value as unknown)) findings.push(`${name} differs from Git`);
  }
  for (const [name, item] of live) {
    const isOurs = item['metadata']?.['labels']?.['applyset.kubernetes.io/part-of'] !== undefined;
    if (isOurs && !wanted.has(name)) findings.push(`${name} is not pruned`);
    if (wanted.has(name) && !isOurs) findings.push(`${name} has no label of the ApplySet`);
  }
  return findings;
}

async function liveUids(world: World, { namespace }: TrialSubject): Promise<Map<string, string>> {
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
