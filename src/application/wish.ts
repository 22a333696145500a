/**
 * The wish of a person for an Application: its spec (by generation), its deletion, its finalizers and the requests in
 * its annotations. Status and other bookkeeping are not part of it.
 */
import { annotationsOf } from '../object/identity.ts';
import type { KubeObject } from '../object/value.ts';
import { RECONCILE_AT_ANNOTATION, REQUEST_ANNOTATION } from './keys.ts';

/** A text that is equal exactly for equal wishes. */
export function wishOf(stored: KubeObject): string {
  const { generation, deletionTimestamp, finalizers } = stored.metadata;
  return JSON.stringify([generation ?? null, deletionTimestamp ?? null, finalizers ?? [], requestsOf(stored)]);
}

/** The part of the wish that annotations hold, in the same form. */
export function requestsOf(stored: KubeObject): string {
  const annotations = annotationsOf(stored);
  return JSON.stringify([annotations[REQUEST_ANNOTATION] ?? null, annotations[RECONCILE_AT_ANNOTATION] ?? null]);
}
