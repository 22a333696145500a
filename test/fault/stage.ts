/**
 * The parts that all situations of trials share: the stage with API server, Git server and witness, and the wait until
 * the cluster equals Git, during which every status that is read is compared with the objects.
 *
 * Invariant: the expected end is computed from the trial's own books of Git, never from the agent.
 */
import type { TestRepository } from '../support/git-repository.ts';
import type { GitRequestHook } from '../support/git-server.ts';
import { configMap, text, type Manifest } from '../support/objects.ts';
import { at, declareSubject, type Subject } from '../support/scene.ts';
import type { ApplicationHandle, Json, World } from '../support/world.ts';
import { differencesOf, unsaidOf, untruthsOf, type Values } from './truth.ts';
import type { Trial, Verdict } from './trial.ts';
import type { Witness } from './witness.ts';

export interface Stage {
  readonly world: World;
  readonly witness: Witness;
  /** Hooks of the Git server by the prefix of the path, such as `/shop.git/`. */
  readonly gitHooks: Map<string, GitRequestHook>;
  /** Whether two agents are running, so that each may write right after a status of the other. */
  readonly hasTwoAgents: () => boolean;
  /** Number of agents that were started so far. */
  readonly starts: () => number;
  /** A number that no earlier call has returned. */
  next(): number;
}

/** A situation that has been set up. Its trials run one after the other. */
export interface Ground {
  /** Runs the trial to its end. The faults and the kill are carried out from outside meanwhile. */
  play(trial: Trial): Promise<Verdict>;
  /** Resolves once the Applications are Ready for the first time. */
  untilReady(): Promise<unknown>;
}

/** Longer than the longest chain of faults, pauses and backoffs takes on a loaded machine. */
const CONVERGENCE_MS = 180_000;
const LOOK_MS = 150;

/** How long a status may stay untrue while two agents are running: each hears of the other's writes by its watches. */
const TWO_AGENTS_MS = 3_000;

/** One Application of an expected end, with what Git has for it. */
export interface Part {
  readonly application: ApplicationHandle;
  readonly commit: string;
  readonly wanted: Values;
  readonly wantedAt: (commit: string, application: Json) => Values | undefined;
  /** Number of objects in Git beside the ConfigMaps. Default: 0. */
  readonly others?: number;
}

export interface Expectation {
  readonly namespace: string;
  readonly parts: readonly Part[];
  /** Whether other clients change the objects meanwhile, so that a status may be older than the change. */
  readonly isDisturbed?: boolean;
  /** Names of ConfigMaps that do not come from Git. */
  readonly strangers?: ReadonlySet<string>;
}

export type Outcome = Pick<Verdict, 'isConverged' | 'orphans' | 'untrueStatus' | 'findings'>;

/** Waits until the cluster equals Git and every status says so, and collects untrue statuses on the way. */
export async function untilEqual(
  { world, witness, hasTwoAgents }: Pick<Stage, 'world' | 'witness' | 'hasTwoAgents'>,
  expectation: Expectation,
): Promise<Outcome> {
  const paths = expectation.parts.map(({ application }) => application.path);
  const untrue = new Set<string>();
  /** When each untruth of the last look was seen first, by the monotonic clock. */
  let seenMs = new Map<string, number>();
  const endMs = performance.now() + CONVERGENCE_MS;
  for (;;) {
    const { missing, orphans, unsaid, untruths } = await look(world, expectation);
    const nowMs = performance.now();
    const patienceMs = hasTwoAgents() ? TWO_AGENTS_MS : 0;
    seenMs = new Map(untruths.map((untruth) => [untruth, seenMs.get(untruth) ?? nowMs]));
    if (expectation.isDisturbed !== true) {
      for (const [untruth, firstMs] of seenMs) if (nowMs - firstMs >= patienceMs) untrue.add(untruth);
    }
    const findings = [...missing, ...orphans, ...unsaid];
    if (findings.length === 0) return { isConverged: true, orphans: [], untrueStatus: [...untrue], findings: [] };
    if (performance.now() > endMs) {
      // Objects are as in Git, and the status still says something else.
      if (missing.length + orphans.length === 0) for (const problem of unsaid) untrue.add(problem);
      return { isConverged: false, orphans, untrueStatus: [...untrue], findings };
    }
    // A status that is in force for a moment only is looked at right after it was written.
    await witness.untilWritten(paths, LOOK_MS);
  }
}

interface Look {
  readonly missing: string[];
  readonly orphans: string[];
  readonly unsaid: string[];
  readonly untruths: string[];
}

async function look(world: World, { namespace, parts, strangers = new Set() }: Expectation): Promise<Look> {
  const before = await Promise.all(parts.map(({ application }) => application.read()));
  const live = await liveConfigMaps(world, namespace);
  const after = await Promise.all(parts.map(({ application }) => application.read()));
  const found: Look = { missing: [], orphans: [], unsaid: [], untruths: [] };
  for (const [index, part] of parts.entries()) {
    const [one, two] = [before[index], after[index]];
    const key = part.application.path.replace(/^.*namespaces\/(.*)\/applications\/(.*)$/, '$1/$2');
    found.missing.push(...differencesOf(part.wanted, live, key).missing);
    if (!one || !two) {
      found.missing.push(`Application ${key} does not exist`);
      continue;
    }
    const names = new Set(part.wanted.keys());
    for (let other = 0; other < (part.others ?? 0); other++) names.add(`other ${other}`);
    found.unsaid.push(...unsaidOf(two, part.commit, names).map((problem) => `${key}: ${problem}`));
    if (at(one, 'metadata', 'resourceVersion') !== at(two, 'metadata', 'resourceVersion')) continue;
    const wantedAt = (commit: string): Values | undefined => part.wantedAt(commit, two);
    found.untruths.push(...untruthsOf({ application: two, live, wantedAt }).map((untruth) => `${key}: ${untruth}`));
  }
  const desired = new Set(parts.flatMap(({ wanted }) => [...wanted.keys()]));
  for (const name of live.keys()) if (!desired.has(name) && !strangers.has(name)) found.orphans.push(`${name} is left`);
  return found;
}

/** By name; without the ConfigMap that Kubernetes adds to every namespace. */
export async function liveConfigMaps(world: World, namespace: string): Promise<Map<string, Json>> {
  const list = await world.read(`/api/v1/namespaces/${namespace}/configmaps`);
  const items = (at(list, 'items') ?? []) as Json[];
  const named = items.map((item) => [String(at(item, 'metadata', 'name')), item] as const);
  return new Map(named.filter(([name]) => name !== 'kube-root-ca.crt'));
}

/** Protects the live objects of these names: each deletion from now on is unintended. Resolves to their uids. */
export async function protect(
  { world, witness }: Pick<Stage, 'world' | 'witness'>,
  namespace: string,
  names: ReadonlySet<string>,
): Promise<Map<string, string>> {
  const uids = new Map<string, string>();
  for (const [name, object] of await liveConfigMaps(world, namespace)) {
    if (!names.has(name)) continue;
    const uid = String(at(object, 'metadata', 'uid'));
    uids.set(name, uid);
    witness.protect(namespace, uid, name);
  }
  return uids;
}

/** The names among the protected ones that were deleted, as the watch has seen it, or as their uids say now. */
export async function lossesOf(
  { world, witness }: Pick<Stage, 'world' | 'witness'>,
  namespace: string,
  kept: ReadonlyMap<string, string>,
): Promise<string[]> {
  const live = await liveConfigMaps(world, namespace);
  const gone = [...kept].filter(([name, uid]) => at(live.get(name), 'metadata', 'uid') !== uid).map(([name]) => name);
  return [...new Set([...witness.endProtection(namespace), ...gone])].sort();
}

/** An Application over a repository of its own, with the books of each commit. */
export interface Books extends Subject {
  /** Value by name of each ConfigMap in Git. */
  readonly wanted: Map<string, string>;
  /** `wanted` at each commit. */
  readonly pages: Map<string, Values>;
  head: string;
}

export interface BooksOptions {
  readonly wanted: Values;
  readonly spec?: Record<string, unknown>;
}

export async function openBooks(world: World, name: string, { wanted, spec = {} }: BooksOptions): Promise<Books> {
  const subject = await declareSubject(world, name, { files: filesOf(wanted), spec });
  await world.apply(configMap('bystander', { own: 'yes' }, { namespace: name }));
  const head = await subject.repository.resolve('main');
  return { ...subject, wanted: new Map(wanted), pages: new Map([[head, new Map(wanted)]]), head };
}

export interface CommitOptions {
  /** Files beside the ConfigMaps. */
  readonly files?: Readonly<Record<string, string>>;
  /** Replaces the manifest of a ConfigMap. */
  readonly manifestOf?: (name: string, value: string) => Manifest;
}

export async function commitBooks(
  books: Books & { readonly repository: TestRepository },
  { files = {}, manifestOf }: CommitOptions = {},
): Promise<string> {
  const all = { ...filesOf(books.wanted, manifestOf), ...files };
  books.head = await books.repository.commit(all, { replaceAll: true });
  books.pages.set(books.head, new Map(books.wanted));
  return books.head;
}

export function filesOf(
  wanted: Values,
  manifestOf: (name: string, value: string) => Manifest = (name, value) => configMap(name, { value }),
): Record<string, string> {
  return { 'all.yaml': text(...[...wanted].map(([name, value]) => manifestOf(name, value))) };
}

export const BYSTANDER: ReadonlySet<string> = new Set(['bystander']);

/** The expected end of one Application that follows its books. */
export function endOf(books: Books, more: Partial<Pick<Part, 'others'>> = {}): Expectation {
  const { application, head, pages } = books;
  const part = { application, commit: head, wanted: new Map(books.wanted), wantedAt: (at: string) => pages.get(at) };
  return { namespace: books.namespace, parts: [{ ...part, ...more }], strangers: BYSTANDER };
}

/** Writes a request to look at the source, and does not wait for the answer. */
export async function askForRefresh({ application }: Pick<Subject, 'application'>): Promise<void> {
  await application.request({ action: 'refresh' });
}

export function verdictOf(outcome: Outcome, more: Partial<Verdict> = {}): Verdict {
  return { unintendedDeletes: [], jobsRunTwice: [], ...outcome, ...more };
}

/** The findings of several waits of one trial. */
export function joinOutcomes(...outcomes: readonly Outcome[]): Outcome {
  return {
    isConverged: outcomes.every(({ isConverged }) => isConverged),
    orphans: outcomes.flatMap(({ orphans }) => orphans),
    untrueStatus: outcomes.flatMap(({ untrueStatus }) => untrueStatus),
    findings: outcomes.flatMap(({ findings }) => findings),
  };
}

/** An outcome for a state that did not come in time. */
export function failed(finding: string): Outcome {
  return { isConverged: false, orphans: [], untrueStatus: [], findings: [finding] };
}
