/**
 * Names the run of a hook in the object that is sent for it. Two runs of one manifest are thereby two manifests: a live
 * object shows which run it is of, and the record of a Job that has ended is that of one run.
 */
import { digestValue } from '../object/digest.ts';
import { HOOK_RUN_ANNOTATION } from '../object/hooks.ts';
import { mapAt, newMap, type KubeObject } from '../object/value.ts';
import type { DesiredObject } from './desired.ts';

/** The object for one run; the given one is not modified. */
export function withHookRun(object: DesiredObject, run: string): DesiredObject {
  const { metadata } = object.body;
  const annotations = newMap([...Object.entries(mapAt(metadata, 'annotations') ?? {}), [HOOK_RUN_ANNOTATION, run]]);
  const body = newMap([
    ...Object.entries(object.body),
    ['metadata', newMap([...Object.entries(metadata), ['annotations', annotations]])],
  ]) as KubeObject;
  return { ...object, body, digest: digestValue(body) };
}
