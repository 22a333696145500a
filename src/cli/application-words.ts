/** An Application in a person's words: what is read off its status, for tables and progress lines. */
import { parseApplication } from '../application/parse.ts';
import type { ApplicationMetadata, ApplicationSpec, StoredStatus } from '../application/schema.ts';
import type { Condition } from '../application/status-schema.ts';
import type { KubeObject } from '../object/value.ts';

export interface Told {
  readonly metadata: ApplicationMetadata;
  /** undefined: it cannot be read. */
  readonly spec: ApplicationSpec | undefined;
  readonly status: StoredStatus;
  readonly ready: Condition | undefined;
  readonly stalled: Condition | undefined;
  /** Whether the status is about the spec as it stands. */
  readonly isCurrent: boolean;
}

export function tell(object: KubeObject): Told {
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

/** `OutOfSync, Progressing: waiting: Namespace shop …`; one line. */
export function summarise({ status, ready }: Told): string {
  const words = [status.sync?.status ?? 'Unknown', status.health?.status ?? 'Unknown'].join(', ');
  return ready ? `${words}, ${ready.reason}: ${firstLine(ready.message)}` : `${words}: no pass has ended yet`;
}

export function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
