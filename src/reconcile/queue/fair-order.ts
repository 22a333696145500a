/**
 * The order in which the agent takes up Applications when it starts. If there are more than it works on, the ones at
 * the end are left out: those of namespaces with many, and of these the youngest.
 */
import { compareTexts } from '../../object/identity.ts';
import { stringAt, type KubeObject } from '../../object/value.ts';

interface Stored {
  /** Namespace and name, as in `applicationKey`. */
  readonly key: string;
  readonly stored: KubeObject;
}

/** The oldest of every namespace come first, then the second of every namespace, and so on; within each, by age. */
export function inFairOrder<Record extends Stored>(records: Iterable<Record>): Record[] {
  const byAge = Array.from(records, (record) => ({ record, created: createdOf(record) })).sort(
    (a, b) => compareTexts(a.created, b.created) || compareTexts(a.record.key, b.record.key),
  );
  const counts = new Map<string, number>();
  const ranked = byAge.map(({ record }) => {
    const namespace = record.key.split('/', 1)[0] ?? '';
    const rank = counts.get(namespace) ?? 0;
    counts.set(namespace, rank + 1);
    return { record, rank };
  });
  // The sort is stable, so equal ranks stay in the order of age.
  return ranked.sort((a, b) => a.rank - b.rank).map(({ record }) => record);
}

/** RFC 3339 in UTC with whole seconds, so texts compare as times. */
export function createdOf({ stored }: Pick<Stored, 'stored'>): string {
  return stringAt(stored.metadata, 'creationTimestamp') ?? '';
}
