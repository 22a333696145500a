/**
 * Compares scalars and atomic values of the live object with the desired ones.
 *
 * Invariant: only built-in kinds are compared leniently (zero values, quantities, base64, known defaults). Values that
 * cannot be proven equal are noted as a difference.
 */
import { isSameQuantity } from '../object/quantity.ts';
import { digestSecretValue } from '../object/redact.ts';
import { isMap, own, type Value } from '../object/value.ts';
import { withDerivedDefaults } from './derived-defaults.ts';
import {
  isBase64Path,
  isDefaultOfEmpty,
  isEntryOfMap,
  isFreeForm,
  isKnownDefault,
  isPointerField,
  isQuantityPath,
} from './known-values.ts';
import { enter, leave, note, type Sides, type Walk } from './walk.ts';

/**
 * Notes every difference at or below the walk's current path. If we own the value, a webhook or a default may have
 * caused the difference. If another manager took the value over, only fields that Git does not set may be defaults.
 */
export function compareAtomic(walk: Walk, sides: Sides, isOwned: boolean): void {
  compareWithin(walk, sides, { isOwned, depth: 0 });
}

interface Within {
  readonly isOwned: boolean;
  /** Steps below the value that managedFields know as a whole. */
  readonly depth: number;
}

function compareWithin(walk: Walk, sides: Sides, within: Within): void {
  const { live } = sides;
  if (sides.desired === live) return;
  const { isOwned } = within;
  const below = { isOwned, depth: within.depth + 1 };
  const desired = completed(walk, sides);
  if (Array.isArray(desired) && Array.isArray(live) && desired.length === live.length) {
    for (let index = 0; index < desired.length; index++) {
      enter(walk, String(index), { item: desired[index] ?? null, index, position: index });
      compareWithin(walk, { desired: desired[index], live: live[index] }, below);
      leave(walk);
    }
    return;
  }
  if (isMap(desired) && isMap(live)) {
    for (const key of Object.keys(desired)) {
      enter(walk, key, key);
      compareWithin(walk, { desired: desired[key], live: own(live, key) }, below);
      leave(walk);
    }
    for (const key of Object.keys(live)) {
      if (Object.hasOwn(desired, key)) continue;
      enter(walk, key, key);
      compareExtra(walk, live[key] ?? null);
      leave(walk);
    }
    return;
  }
  const isMissing = live === undefined && !isLeftOutWhenEmpty(walk, desired, within.depth);
  if (!isMissing && isEqualLeaf(walk, { desired, live }, isOwned)) return;
  note(walk, { desired, live }, !isOwned && walk.hasEntry && !isZero(desired));
}

function completed(walk: Walk, { desired, live }: Sides): Value | undefined {
  if (!walk.isLenient || desired === undefined || live === undefined) return desired;
  return withDerivedDefaults(walk.kind, walk.tokens, desired, live);
}

/**
 * Whether the server stores nothing for an empty value. If we own the field itself, its absence shows it. Inside an
 * atomic value only the type decides: the server stores entries of maps and fields that are pointers in Go. Directly
 * below a map that we own as a whole, the answer is no: the map may have been applied empty before the field was added.
 */
function isLeftOutWhenEmpty(walk: Walk, desired: Value | undefined, depth: number): boolean {
  if (depth === 0) return true;
  if (!walk.isLenient || isEntryOfMap(walk.tokens) || isFreeForm(walk.kind, walk.tokens)) return false;
  return desired === null || (depth > 1 && !isPointerField(walk.tokens));
}

/** Compares a field of an atomic value that only the live object has: a default, or a field that left Git. */
function compareExtra(walk: Walk, live: Value): void {
  if (walk.isLenient && !isFreeForm(walk.kind, walk.tokens)) {
    if (live === null || isKnownDefault(walk.tokens, live)) return;
    if (isMap(live) && Object.keys(live).length > 0) {
      // A map that holds only defaults, such as the status of a claim template.
      const isDefault = Object.keys(live).every((key) => isKnownDefault([...walk.tokens, key], live[key] ?? null));
      if (isDefault) return;
    }
  }
  note(walk, { live }, false);
}

/**
 * Compares scalars, and collections that only one side has. An absent zero value counts as equal only if we own the
 * field: otherwise it may have been removed.
 */
export function isEqualLeaf(walk: Walk, { desired, live }: Sides, isOwned: boolean): boolean {
  if (desired === live) return true;
  if (!walk.isLenient || desired === undefined || isFreeForm(walk.kind, walk.tokens)) return false;
  if (live === undefined || live === null) {
    return isOwned && (desired === null || isZeroScalar(desired) || isEmptyList(desired));
  }
  if (isBase64Path(walk.kind, walk.tokens)) return isEqualBase64(walk, desired, live);
  if (desired === null && live === '') return true;
  if (isOwned && (desired === null || isZeroScalar(desired)) && isDefaultOfEmpty(walk.tokens, live)) return true;
  return isQuantityPath(walk.kind, walk.tokens) && isSameQuantity(desired, live);
}

function isEqualBase64(walk: Walk, desired: Value, live: Value): boolean {
  const text = desired ?? '';
  if (typeof text !== 'string' || typeof live !== 'string') return false;
  if (walk.kind === 'Secret') return digestSecretValue(text) === digestSecretValue(live);
  return text.replaceAll(/\s/g, '') === live.replaceAll(/\s/g, '');
}

/** Zero values that Go leaves out of JSON (`omitempty`), so that they read as absent. */
function isZeroScalar(value: Value): boolean {
  return value === false || value === '' || value === 0;
}

export function isZero(value: Value | undefined): boolean {
  return value === undefined || value === null || isZeroScalar(value) || isEmptyCollection(value);
}

function isEmptyList(value: Value): boolean {
  return Array.isArray(value) && value.length === 0;
}

/** Whether both are empty lists or both are empty maps. */
export function isSameEmpty(a: Value | undefined, b: Value | undefined): boolean {
  return isEmptyCollection(a) && isEmptyCollection(b) && Array.isArray(a) === Array.isArray(b);
}

export function isEmptyCollection(value: Value | undefined): boolean {
  return Array.isArray(value) ? value.length === 0 : isMap(value) && Object.keys(value).length === 0;
}
