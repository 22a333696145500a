/**
 * Names the run of a hook in the object that is sent for it. Two runs of one manifest are thereby two manifests: a live
 * object shows which run it is of, and the record of a Job that has ended is that of one run.
 *
 * A hook that runs once a sync has one run for each set of desired objects: a commit that changes none of them is no
 * sync, as in Argo CD, and neither is a restart.
 */
import { isRunToCompletion } from '../application/ended-jobs.ts';
import { digestValue } from '../object/digest.ts';
import { contentHash } from '../object/generated-name.ts';
import { GENERATED_NAME_ANNOTATION, HOOK_RUN_ANNOTATION } from '../object/hooks.ts';
import { annotationsOf } from '../object/identity.ts';
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

/** Names of Pods are made of the names of their Jobs, so that these must be shorter. */
const MAX_STEM_CHARS = 52;

/** The objects with the runs of their hooks. `setDigest`: the digest of all objects as their manifests are. */
export function forSync(objects: readonly DesiredObject[], setDigest: string): readonly DesiredObject[] {
  if (!objects.some(isRunEachSync)) return objects;
  const run = contentHash(setDigest);
  return objects.map((object) => (isRunEachSync(object) ? withHookRun(withGeneratedName(object, run), run) : object));
}

function isRunEachSync({ id, policy }: DesiredObject): boolean {
  return policy !== undefined && (policy.runsEachSync || policy.isSyncFail) && isRunToCompletion(id);
}

function withGeneratedName(object: DesiredObject, run: string): DesiredObject {
  const { body, id } = object;
  if (annotationsOf(body)[GENERATED_NAME_ANNOTATION] !== 'true') return object;
  const name = `${id.name.slice(0, MAX_STEM_CHARS)}-${run}`;
  const metadata = newMap([...Object.entries(body.metadata), ['name', name]]);
  return {
    ...object,
    id: { ...id, name },
    body: newMap([...Object.entries(body), ['metadata', metadata]]) as KubeObject,
  };
}
