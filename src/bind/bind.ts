/**
 * Manifests + Kinds → Desired: gives each manifest its identity in one cluster and its owner marks.
 *
 * Invariants: a manifest that cannot be bound becomes a problem, and the others are bound; manifests are not modified
 * (unchanged parts are shared); the cost is linear, and one look-up for a manifest that is in the cache.
 */
import type { IgnoreRule } from '../application/schema.ts';
import type { Kinds } from '../cluster/kinds.ts';
import { digestText } from '../object/digest.ts';
import { formatId, idKey, type ObjectId } from '../object/identity.ts';
import { orderOf } from '../object/order.ts';
import { isDefaultPolicy, policyOf } from '../object/policy.ts';
import type { Problem } from '../object/problem.ts';
import type { Manifest, Manifests } from '../render/manifests.ts';
import { bindBody } from './bind-body.ts';
import type { DesiredObject, Desired, Owner } from './desired.ts';
import { forSync } from './hook-run.ts';
import { resolveIgnored } from './ignore-rules.ts';
import { orderProblems } from './order-problems.ts';
import { createKindLookup, type BoundKind } from './kind-lookup.ts';
import { placeManifest } from './place-manifest.ts';
import type { Reach } from './reach.ts';

/** Results by context, kind and manifest digest. The caller owns the cache and bounds it. */
export interface BindCache {
  get(key: string): DesiredObject | undefined;
  set(key: string, object: DesiredObject): unknown;
}

export interface BindOptions {
  readonly manifests: Pick<Manifests, 'manifests' | 'problems'>;
  readonly kinds: Kinds;
  readonly owner: Owner;
  /** `spec.destination.namespace`; undefined: `applicationNamespace`. */
  readonly destinationNamespace: string | undefined;
  readonly reach: Reach;
  /** `spec.ignoreDifferences`. */
  readonly ignoreDifferences?: readonly IgnoreRule[] | undefined;
  readonly cache?: BindCache;
}

/** The problems are those of the render, then those of bind in the order of manifests, then duplicates and orders. */
export function bindManifests(options: BindOptions): Desired {
  const lookup = createKindLookup(options.kinds, options.manifests.manifests);
  const context = contextOf(options);
  const problems: Problem[] = [...options.manifests.problems];
  const bound: DesiredObject[] = [];
  for (const manifest of options.manifests.manifests) {
    const kind = lookup(manifest);
    const result = 'problem' in kind ? kind : bindManifest(manifest, { kind, context, options });
    if ('problem' in result) problems.push(result.problem);
    else bound.push(result);
  }
  const { objects, duplicates } = splitDuplicates(bound);
  problems.push(...duplicates, ...orderProblems(objects));
  const digest = digestObjects(objects);
  // Not cached: the ignored fields of an object depend on other objects (autoscalers).
  return { objects: resolveIgnored(forSync(objects, digest), options.ignoreDifferences ?? []), problems, digest };
}

function bindManifest(
  manifest: Manifest,
  { kind, context, options }: { kind: BoundKind; context: string; options: BindOptions },
): DesiredObject | { problem: Problem } {
  const key = `${context}\n${kind.digest}\n${manifest.digest}${manifest.isSealed ? '\nsealed' : ''}`;
  const known = options.cache?.get(key);
  if (known) return isAt(known, manifest) ? known : { ...known, file: manifest.file, line: manifest.line };
  const id = placeManifest(manifest, { kind: kind.info, ...options });
  if ('problem' in id) return id;
  const body = bindBody(manifest, { id, kind: kind.info, owner: options.owner });
  if ('problem' in body) return body;
  const policy = policyOf(body.body);
  const order = orderOf(body.body);
  const object: DesiredObject = {
    id,
    kind: kind.info,
    ...body,
    file: manifest.file,
    line: manifest.line,
    ...(kind.awaitsCrd === undefined ? {} : { awaitsCrd: kind.awaitsCrd }),
    ...(isDefaultPolicy(policy) ? {} : { policy }),
    ...(order ? { order } : {}),
    ...(manifest.isSealed ? { isSealed: true } : {}),
  };
  options.cache?.set(key, object);
  return object;
}

function isAt(object: DesiredObject, manifest: Manifest): boolean {
  return object.file === manifest.file && object.line === manifest.line;
}

/** Digest of the options that the bound object depends on, besides its manifest and kind. */
function contextOf(options: BindOptions): string {
  const { owner, destinationNamespace, reach } = options;
  return digestText(
    JSON.stringify([
      owner.applySetId,
      owner.ownerAnnotation,
      destinationNamespace ?? null,
      reach.namespace,
      reach.mayCross,
    ]),
  );
}

/** Leaves out all occurrences of a duplicate: the intended one is unknown. */
function splitDuplicates(bound: readonly DesiredObject[]): { objects: DesiredObject[]; duplicates: Problem[] } {
  const byKey = new Map<string, DesiredObject[]>();
  for (const object of bound) {
    const key = idKey(object.id);
    const same = byKey.get(key);
    if (same) same.push(object);
    else byKey.set(key, [object]);
  }
  const objects: DesiredObject[] = [];
  const duplicates: Problem[] = [];
  for (const same of byKey.values()) {
    const [first, ...others] = same as [DesiredObject, ...DesiredObject[]];
    if (others.length === 0) objects.push(first);
    else duplicates.push(duplicateProblem(first.id, same));
  }
  return { objects, duplicates };
}

/** Places that a message names. */
const MAX_PLACES = 5;

function duplicateProblem(id: ObjectId, same: readonly DesiredObject[]): Problem {
  const last = same[same.length - 1] as DesiredObject;
  const places = same.slice(0, MAX_PLACES).map(({ file, line }) => `${file}:${line}`);
  if (same.length > MAX_PLACES) places.push(`${same.length - MAX_PLACES} more`);
  return {
    code: 'DuplicateObject',
    message: `${formatId(id)} is defined ${same.length} times: ${places.join(', ')}.`,
    file: last.file,
    line: last.line,
    object: id,
    hint: 'Keep one of them. Until then none of them is applied.',
  };
}

function digestObjects(objects: readonly DesiredObject[]): string {
  let text = '';
  for (const object of objects) text += `${idKey(object.id)}\n${object.digest}\n`;
  return digestText(text);
}
