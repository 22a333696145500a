/** Names of hooks whose manifests have only a `generateName`. */
import { hookOf } from '../object/hooks.ts';
import { mapAt, valueAt, type Value } from '../object/value.ts';

/** The name without the part that changes with each run. undefined: it is no hook, or has no such name. */
export function generatedStem(metadata: Value): string | undefined {
  const prefix = valueAt(metadata, 'generateName');
  if (typeof prefix !== 'string') return undefined;
  const stem = prefix.replace(/[-.]+$/, '');
  if (stem === '') return undefined;
  const texts = Object.entries(mapAt(metadata, 'annotations') ?? {}).filter(([, value]) => typeof value === 'string');
  return hookOf(Object.fromEntries(texts) as Record<string, string>) ? stem : undefined;
}
