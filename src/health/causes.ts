/**
 * Events → the cause that explains best why an object is not well. Statuses tell most causes (an image, a crash, a
 * missing node); only Events tell why Pods may not be created, a volume is not mounted, or a probe fails.
 *
 * Invariants: the output of a program is never quoted, since it may hold secrets: of a probe that runs a command only
 * its failure is told. Texts are bounded, and unprintable characters are escaped.
 */
import { printable } from '../object/printable.ts';
import { stringAt, type Value } from '../object/value.ts';
import type { Health } from './assessment.ts';
import { healthOf } from './assessment.ts';

/** The part of an Event that is kept. */
export interface Cause {
  /** The kind of the object that the Event is about, then its name and uid. */
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly reason: string;
  readonly message: string;
  /** When it was seen last, in milliseconds since 1970. -Infinity: it does not say. */
  readonly atMs: number;
}

const MAX_TEXT_CHARS = 200;

/** The cause that an Event of the API server tells. */
export function causeOf(event: Value): Cause {
  const about = (key: string): string => stringAt(event, 'involvedObject', key) ?? '';
  return {
    kind: about('kind'),
    name: about('name'),
    uid: about('uid'),
    reason: stringAt(event, 'reason') ?? '',
    message: stringAt(event, 'message') ?? '',
    atMs: lastSeenMs(event),
  };
}

/** When an Event was seen last, in milliseconds since 1970. -Infinity: it does not say. */
export function lastSeenMs(event: Value): number {
  const times = [
    stringAt(event, 'lastTimestamp'),
    stringAt(event, 'series', 'lastObservedTime'),
    stringAt(event, 'eventTime'),
    stringAt(event, 'metadata', 'creationTimestamp'),
  ];
  const known = times.map((time) => Date.parse(time ?? '')).filter((time) => !Number.isNaN(time));
  return Math.max(-Infinity, ...known);
}

/** Reasons that the status of a Pod does not tell, the most telling one first. */
const OF_PODS = [
  'FailedAttachVolume',
  'FailedMount',
  'FailedMapVolume',
  'FailedCreatePodSandBox',
  'NetworkNotReady',
  'Unhealthy',
];

/** Reasons of an object itself that say nothing about what is missing. */
const UNTELLING: ReadonlySet<string> = new Set(['BackOff', 'Killing', 'DNSConfigForming', 'BackoffLimitExceeded']);

/** Events that are older than the newest one by more than this are about an earlier trouble. */
const RECENT_MS = 10 * 60_000;

export interface Troubled {
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  /** Pods that are not well. */
  readonly pods: readonly { readonly name: string; readonly uid: string }[];
}

/** The health with the most telling cause before its own sentence; the same if no Event adds to it. */
export function withCause(health: Health, troubled: Troubled, causes: readonly Cause[]): Health {
  const found = tellingCause(troubled, causes);
  if (!found || isTold(health.message, found.message)) return health;
  const text = `${subjectOf(found, troubled)}${found.reason}: ${textOf(found)}`;
  return healthOf(health.status, health.message === '' ? text : `${text}; ${health.message}`);
}

/** undefined: no Event is about the object or its Pods, or all of them tell what statuses tell as well. */
export function tellingCause(troubled: Troubled, causes: readonly Cause[]): Cause | undefined {
  const itself = troubled.kind === 'Pod' ? [troubled] : [];
  const pods = new Map([...troubled.pods, ...itself].map(({ name, uid }) => [name, uid]));
  const ranked = causes.flatMap((cause) => {
    const rank = rankOf(cause, troubled, pods);
    return rank === undefined ? [] : [{ cause, rank }];
  });
  const newestMs = Math.max(...ranked.map(({ cause }) => cause.atMs));
  const recent = ranked.filter(({ cause }) => newestMs - cause.atMs <= RECENT_MS || cause.atMs === newestMs);
  recent.sort((a, b) => a.rank - b.rank || b.cause.atMs - a.cause.atMs || compareTexts(a.cause, b.cause));
  return recent[0]?.cause;
}

/** Lower ranks tell more: what keeps Pods from being created comes before what keeps one of them from running. */
function rankOf(
  { kind, name, uid, reason }: Cause,
  troubled: Troubled,
  pods: ReadonlyMap<string, string>,
): number | undefined {
  const isItself = kind === troubled.kind && name === troubled.name && uid === troubled.uid;
  const isReplicaSet =
    kind === 'ReplicaSet' && troubled.kind === 'Deployment' && name.slice(0, name.lastIndexOf('-')) === troubled.name;
  if ((isItself && kind !== 'Pod') || isReplicaSet) return UNTELLING.has(reason) ? undefined : 0;
  if (kind !== 'Pod' || pods.get(name) !== uid) return undefined;
  const rank = OF_PODS.indexOf(reason);
  return rank < 0 ? undefined : rank + 1;
}

function compareTexts(a: Cause, b: Cause): number {
  const [one, other] = [`${a.name} ${a.message}`, `${b.name} ${b.message}`];
  return one < other ? -1 : one > other ? 1 : 0;
}

/** The status of the object tells the same. */
function isTold(sentence: string, message: string): boolean {
  const line = message.replace(/\s+/g, ' ').trim();
  return line !== '' && sentence.includes(line.slice(0, 100));
}

function subjectOf({ kind, name }: Cause, troubled: Troubled): string {
  return kind === troubled.kind && name === troubled.name ? '' : `${kind} ${printable(name)}: `;
}

/** Failures of probes that the kubelet itself describes. Any other text may be the output of a command. */
const OF_KUBELET =
  /statuscode: \d{3}$|connection refused|context deadline exceeded|timeout|no route to host|i\/o|dial tcp/i;

function textOf({ reason, message }: Cause): string {
  const line = message.replace(/\s+/g, ' ').trim();
  const isQuotable = reason !== 'Unhealthy' || OF_KUBELET.test(line);
  const [probe = ''] = line.split(':');
  const text = printable(isQuotable ? line : `${probe} (the output of its command is not shown)`);
  return text.length <= MAX_TEXT_CHARS ? text : `${text.slice(0, MAX_TEXT_CHARS - 1)}…`;
}
