/** Reads from a stored Application what tables and progress lines show of it. */
import { parseApplication } from '../application/parse.ts';
import type { ApplicationMetadata, ApplicationSpec, StoredStatus } from '../application/schema.ts';
import { isSettledHealth, type Condition } from '../application/status-schema.ts';
import type { KubeObject } from '../object/value.ts';

export interface ApplicationFacts {
  readonly metadata: ApplicationMetadata;
  /** undefined if the spec is invalid. */
  readonly spec: ApplicationSpec | undefined;
  readonly status: StoredStatus;
  readonly ready: Condition | undefined;
  /** The condition `Stalled` while it is True. */
  readonly stalled: Condition | undefined;
  /** Whether the status is about the present spec. */
  readonly isCurrent: boolean;
}

export function factsOf(object: KubeObject): ApplicationFacts {
  const parsed = parseApplication(object);
  const { metadata, status } = parsed.ok ? parsed.application : parsed;
  const find = (type: string): Condition | undefined => status.conditions?.find((item) => item.type === type);
  const stalled = find('Stalled');
  return {
    metadata,
    status,
    spec: parsed.ok ? parsed.application.spec : undefined,
    ready: find('Ready'),
    stalled: stalled?.status === 'True' ? stalled : undefined,
    isCurrent: status.observedGeneration === metadata.generation,
  };
}

/** One line, such as `OutOfSync, Progressing: waiting: Namespace shop …`. */
export function summarise({ status, ready }: ApplicationFacts): string {
  const states = [status.sync?.status ?? 'Unknown', status.health?.status ?? 'Unknown'].join(', ');
  return ready
    ? `${states}, ${ready.reason}: ${whyOf({ status, ready })}`
    : `${states}: no pass over this Application has ended yet`;
}

/** One line: the message of Ready, and what is not well if that message does not say it. */
export function whyOf({ status, ready }: Pick<ApplicationFacts, 'status' | 'ready'>): string {
  const message = firstLine(ready?.message ?? '');
  const { status: word, message: reason } = status.health ?? { status: 'Unknown' };
  if (reason === undefined || isSettledHealth(word) || (ready?.message ?? '').includes(reason)) return message;
  return [message, `${word}: ${reason}`].filter((part) => part !== '').join('; ');
}

/** Whether a person has to look: it is not Ready or not Synced, or some object is not well. */
export function isTroubled({ status, ready }: ApplicationFacts): boolean {
  const { sync, health } = status;
  return ready?.status !== 'True' || sync?.status !== 'Synced' || !isSettledHealth(health?.status ?? 'Unknown');
}

export function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
