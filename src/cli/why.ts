/**
 * `tautline why NAME`: on one screen, why an Application is not well: the reason, the objects and fields, the last
 * Events, the last lines of the failing Pod's log, and the commit.
 *
 * Invariant: each part has a bound of its own, and a part that cannot be read is named instead of left out.
 */
import { cutText } from '../application/conditions.ts';
import { formatId, idKey, type ObjectId } from '../object/identity.ts';
import { printable } from '../object/printable.ts';
import type { KubeObject } from '../object/value.ts';
import type { TreeNode } from '../server/api/schema.ts';
import type { ObjectStatus } from '../status/object-status.ts';
import { factsOf, isTroubled, type ApplicationFacts } from './application-facts.ts';
import { idOfApplication, objectsOf, readTree } from './application-tree.ts';
import { agoOf, commitText } from './commit-text.ts';
import { eventTable, readEventsOf, type ObjectEvent } from './events.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { failingPod, logQuestionOf } from './failing-pod.ts';
import { forOne } from './find-application.ts';
import { type Access, type ClusterFlags } from './with-cluster.ts';
import { print, printNotes } from './output.ts';

export interface WhyCommand extends ClusterFlags {
  readonly name: string;
}

const MAX_MESSAGE_LINES = 6;
const MAX_OBJECTS = 5;
/** Objects whose Events are asked for, one list each. */
const MAX_ASKED = 8;
const MAX_EVENTS = 5;
const MAX_LOG_LINES = 10;
const MAX_LINE_CHARS = 160;

export function runWhy(command: WhyCommand): Promise<ExitCode> {
  return forOne(command, async (access, application) => {
    const facts = factsOf(application);
    const objects = unwellObjects(application, facts);
    const isWell = !isTroubled(facts);
    const findings = isWell ? NOTHING : await investigate(access, application, objects);
    print(whyText(application, { ...findings, objects }, Date.now()));
    printNotes(findings.notes);
    return EXIT.done;
  });
}

export interface Findings {
  /** The newest last. */
  readonly events: readonly ObjectEvent[];
  /** Pods that the objects own, directly or not, and that are not well. */
  readonly pods: readonly TreeNode[];
  readonly log: PodLog | undefined;
  readonly notes: readonly string[];
}

interface PodLog {
  readonly pod: string;
  readonly container: string | undefined;
  readonly isPrevious: boolean;
  readonly lines: readonly string[];
}

const NOTHING: Findings = { events: [], pods: [], log: undefined, notes: [] };

/** The worst first, as in the status. */
function unwellObjects(application: KubeObject, { status }: ApplicationFacts): ObjectStatus[] {
  const byKey = new Map(objectsOf(application).map((object) => [idKey(object.id), object]));
  return (status.resources ?? []).flatMap((resource) => byKey.get(idKey(resource)) ?? []).filter(isUnwell);
}

function isUnwell({ sync, health }: ObjectStatus): boolean {
  return sync !== 'Synced' || (health.status !== 'Healthy' && health.status !== 'Suspended');
}

async function investigate(
  access: Access,
  application: KubeObject,
  objects: readonly ObjectStatus[],
): Promise<Findings> {
  const tree = await readTree(access, objects);
  const pod = failingPod(tree.nodes);
  const owned = tree.nodes.filter(({ parent, health }) => parent !== undefined && health.status !== 'Healthy');
  const ids = [idOfApplication(application), ...(pod ? [pod] : []), ...objects.map(({ id }) => id), ...owned];
  const asked = new Map<string, ObjectId>(ids.map((id) => [idKey(id), id]));
  const found = await readEventsOf(access.cluster.client, [...asked.values()].slice(0, MAX_ASKED));
  const read = pod ? await readLogOf(access, pod) : { notes: [] };
  return {
    events: found.events.slice(-MAX_EVENTS),
    pods: owned.filter(({ kind, group }) => kind === 'Pod' && group === ''),
    log: read.log,
    notes: [...tree.notes, ...found.notes, ...read.notes],
  };
}

async function readLogOf(
  { cluster }: Access,
  pod: ObjectId,
): Promise<{ readonly log?: PodLog; readonly notes: readonly string[] }> {
  const kinds = await cluster.kinds();
  const kind = kinds.served.get('v1/Pod');
  const read = kind && (await cluster.client.get(kind, pod));
  if (!read?.ok || !read.object) return { notes: [`the log of ${formatId(pod)} is not shown: the Pod cannot be read`] };
  const question = logQuestionOf(read.object.body, MAX_LOG_LINES);
  const answer = await cluster.readLog(question);
  if (!answer.ok) return { notes: [`the log of ${formatId(pod)} is not shown: ${answer.refusal.message}`] };
  const lines = answer.text.replace(/\n$/, '').split('\n').slice(-MAX_LOG_LINES);
  const { container, isPrevious } = question;
  return { log: { pod: formatId(pod), container, isPrevious, lines: lines.filter((line) => line !== '') }, notes: [] };
}

export type Explained = Pick<Findings, 'events' | 'pods' | 'log'> & {
  /** Objects that are not well, the worst first. */
  readonly objects: readonly ObjectStatus[];
};

/** The screen as a text. `now` is in milliseconds since 1970. */
export function whyText(application: KubeObject, { objects, events, pods, log }: Explained, now: number): string {
  const facts = factsOf(application);
  const parts = [
    headOf(facts, now),
    ...(objects.length === 0 ? [] : [listOf('Objects', objects.map(objectLine))]),
    ...(pods.length === 0 ? [] : [listOf('Pods', pods.map(podLine))]),
    ...(events.length === 0 ? [] : [`Last Events\n${indented(eventTable(events, { now, hasHeaders: false }))}`]),
    ...(log === undefined ? [] : [logText(log)]),
    ...nextSteps(facts, objects),
  ];
  return parts.join('\n');
}

function headOf(facts: ApplicationFacts, now: number): string {
  const { metadata, status, ready } = facts;
  const states = [status.sync?.status ?? 'Unknown', status.health?.status ?? 'Unknown'].join(', ');
  const commit = commitText(status, now);
  return [
    `${metadata.namespace}/${metadata.name}: ${states}, ${readinessOf(facts, now)}`,
    ...(isTroubled(facts) ? messageLines(ready?.message ?? '') : ['  Nothing is wrong.']),
    ...healthLine(facts),
    ...stateLines(facts, now).map((line) => `  ${line}`),
    ...(commit === undefined ? [] : [`  Commit ${cut(commit)}`]),
    '',
  ].join('\n');
}

function readinessOf({ ready }: ApplicationFacts, now: number): string {
  if (!ready) return 'not seen by an agent yet';
  const word = ready.status === 'True' ? 'Ready' : `not Ready (${ready.reason})`;
  return `${word} since ${agoOf(ready.lastTransitionTime, now)}`;
}

/** States of the Application that explain why nothing changes. */
function stateLines({ metadata, status, spec, ready, isCurrent }: ApplicationFacts, now: number): string[] {
  const { hold, window, nextAttemptAt } = status;
  const isDeleted = metadata.deletionTimestamp !== undefined;
  const waitMs = nextAttemptAt === undefined ? 0 : Date.parse(nextAttemptAt) - now;
  return [
    ...(isDeleted ? ['It is being deleted.'] : []),
    ...(isCurrent || isDeleted ? [] : ['The status is about an earlier spec.']),
    ...(spec?.suspend && ready?.reason !== 'Suspended' ? ['It is suspended.'] : []),
    ...(hold ? [`An earlier revision is held in force: ${cut(hold.message ?? hold.revision)}`] : []),
    ...(window?.isOpen === false ? [`A sync window is closed: ${cut(window.message ?? '')}`] : []),
    ...(waitMs > 0 ? [`Next attempt in ${Math.ceil(waitMs / 1000)}s`] : []),
  ];
}

function messageLines(message: string): string[] {
  const lines = message.split('\n').filter((line) => line.trim() !== '');
  const more = lines.length - MAX_MESSAGE_LINES;
  return [
    ...lines.slice(0, MAX_MESSAGE_LINES).map((line) => `  ${cut(line)}`),
    ...(more > 0 ? [`  … and ${more} lines more, which get -o yaml shows`] : []),
  ];
}

/** Unless the message of Ready says it already. */
function healthLine({ status, ready }: ApplicationFacts): string[] {
  const message = status.health?.message;
  if (message === undefined || (ready?.message ?? '').includes(message)) return [];
  return [`  ${status.health?.status ?? 'Unknown'}: ${cut(message)}`];
}

function listOf(title: string, lines: readonly string[]): string {
  const more = lines.length - MAX_OBJECTS;
  const shown = lines.slice(0, MAX_OBJECTS).map((line) => `  ${line}\n`);
  return `${title}\n${shown.join('')}${more > 0 ? `  … and ${more} more\n` : ''}`;
}

function objectLine({ id, sync, health, message }: ObjectStatus): string {
  const why = message ? `: ${cut(message)}` : '';
  return `${printable(formatId(id))} ${[sync, health.status].join(', ')}${why}`;
}

function podLine(pod: TreeNode): string {
  const why = pod.health.message === '' ? '' : `: ${cut(pod.health.message)}`;
  return `${printable(formatId(pod))} ${pod.health.status}${why}`;
}

function logText({ pod, container, isPrevious, lines }: PodLog): string {
  const run = isPrevious ? ', before its last restart' : '';
  const title = `Log of ${pod}${container === undefined ? '' : `, container ${container}`}${run}`;
  const text = lines.length === 0 ? '(empty)\n' : lines.map((line) => `${cut(line)}\n`).join('');
  return `${printable(title)}\n${indented(text)}`;
}

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, '  ');
}

/** One line of printable text. */
function cut(text: string): string {
  return cutText(printable(text), MAX_LINE_CHARS);
}

function nextSteps({ metadata, spec, status }: ApplicationFacts, objects: readonly ObjectStatus[]): string[] {
  const place = `${metadata.name} -n ${metadata.namespace}`;
  const steps = [
    ...(spec?.suspend ? [`tautline resume ${place}`] : []),
    ...(status.pruneGuard?.held ? [`tautline confirm ${place}`] : []),
    ...(objects.some(({ sync }) => sync === 'OutOfSync') ? [`tautline diff ${place}`] : []),
    ...(objects.length > MAX_OBJECTS ? [`tautline tree ${place}`] : []),
  ];
  return steps.length === 0 ? [] : [`See also\n${steps.map((step) => `  ${step}\n`).join('')}`];
}
