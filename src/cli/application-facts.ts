/** Reads from a stored Application what tables and progress lines show of it. */
import { parseApplication } from '../application/parse.ts';
import type { ApplicationMetadata, ApplicationSpec, StoredStatus } from '../application/schema.ts';
import type { Condition } from '../application/status-schema.ts';
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
    ? `${states}, ${ready.reason}: ${firstLine(ready.message)}`
    : `${states}: no pass over this Application has ended yet`;
}

export function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
