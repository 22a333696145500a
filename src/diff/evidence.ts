/**
 * Decides an `unsure` change by comparing the object that a dry run returned with the live one.
 *
 * Invariant: the result is never `unsure`.
 */
import type { LiveObject } from '../cluster/live.ts';
import {
  fieldNodeAt,
  ItemIndex,
  keyedMembers,
  listTypeOf,
  managedFieldsOf,
  type ManagedFields,
} from '../object/field-set.ts';
import { isEqualValue, isMap, own, type KubeObject, type Value } from '../object/value.ts';
import type { Change } from './changes.ts';
import { keyNamesOf, signatureOf } from './compare-list.ts';
import { KEY_DEFAULTS } from './known-values.ts';
import { fieldDifferences } from './field-difference.ts';
import { withoutIgnored } from './ignored.ts';
import { findingsAmong, MAX_FINDINGS, patchOf } from './json-patch.ts';
import type { Finding, ListMatch, Step } from './walk.ts';

/** Metadata that every write changes, or that a dry run shows as changed even if nothing else is. */
const BOOKKEEPING: ReadonlySet<string> = new Set(['managedFields', 'resourceVersion', 'generation']);

/** `returned` is the answer to a dry-run apply (with force) of `change.desired`. */
export function judgeDryRun(change: Change, returned: LiveObject): Change {
  const { reason: _, patch: __, ...rest } = change;
  const { desired, live } = change;
  if (!live) return { ...rest, type: 'create' };
  const whole = { made: returned.body, live: live.body };
  // Ignored fields may have changed since `change.live` was read, so both objects are compared without them.
  const compared = desired?.ignored && {
    made: withoutIgnored(desired, returned).live.body,
    live: withoutIgnored(desired, live).live.body,
  };
  const findings = findingsOf(change, compared ?? whole);
  if (findings.length === 0) return { ...rest, type: 'none', fields: [] };
  const placed = compared ? findingsAmong(findingsOf(change, whole), findings) : findings;
  const patch = patchOf(placed, { desired: returned.body, live: live.body, isSealed: desired?.isSealed });
  const fields = fieldDifferences(findings, { live: live.body, isSealed: desired?.isSealed });
  return { ...rest, type: 'update', fields, ...(patch ? { patch } : {}) };
}

/** `made` is the object as the server would make it. */
function findingsOf(
  { kind, desired }: Change,
  { made, live }: { readonly made: KubeObject; readonly live: KubeObject },
): Finding[] {
  const findings: Finding[] = [];
  const context = { findings, sets: [made, live].flatMap(managedFieldsOf), items: new ItemIndex() };
  for (const key of new Set([...Object.keys(made), ...Object.keys(live)])) {
    // Controllers may have written status in the meantime; an apply never writes it.
    if (key === 'status' && kind?.hasStatus === true) continue;
    const place = { desired: own(made, key), live: own(live, key), manifest: desired && own(desired.body, key) };
    collect(context, { ...place, tokens: [key], steps: [key] });
  }
  return findings;
}

interface Context {
  readonly findings: Finding[];
  /** Field sets of both objects. They tell which lists are merged by item. */
  readonly sets: readonly ManagedFields[];
  readonly items: ItemIndex;
}

interface Place {
  /** The value that the dry run returned. */
  readonly desired: Value | undefined;
  readonly live: Value | undefined;
  /** The value in Git. Indexes of list items are shown as they are in it. */
  readonly manifest: Value | undefined;
  readonly tokens: readonly string[];
  readonly steps: readonly Step[];
  readonly reordered?: ListMatch;
}

function collect(context: Context, place: Place): void {
  const { desired, live, manifest, tokens, steps } = place;
  if (desired === live || context.findings.length >= MAX_FINDINGS) return;
  if (isMap(desired) && isMap(live)) {
    for (const key of new Set([...Object.keys(desired), ...Object.keys(live)])) {
      if (tokens.length === 1 && tokens[0] === 'metadata' && BOOKKEEPING.has(key)) continue;
      const below = { desired: own(desired, key), live: own(live, key), manifest: memberOf(manifest, key) };
      collect(context, { ...below, tokens: [...tokens, key], steps: [...steps, key] });
    }
    return;
  }
  if (Array.isArray(desired) && Array.isArray(live)) {
    const keys = keysAt(context, steps);
    if (keys) return collectItems(context, place, { keys, desired, live });
    if (desired.length === live.length) {
      for (let index = 0; index < desired.length; index++) {
        const below = { desired: desired[index], live: live[index], manifest: memberOf(manifest, index) };
        const step = { item: live[index] ?? null, index, position: index };
        collect(context, { ...below, tokens: [...tokens, String(index)], steps: [...steps, step] });
      }
      return;
    }
  }
  if (!isEqualValue(desired, live)) find(context, place);
}

interface Items {
  /** Names of the fields that make the key; none for a set of scalars. */
  readonly keys: readonly string[];
  readonly desired: readonly Value[];
  readonly live: readonly Value[];
}

/** Compares a list that is merged by item: each item with the live item of its key, then surplus items, then order. */
function collectItems(context: Context, place: Place, { keys, desired, live }: Items): void {
  const positions = indexBy(live, keys);
  const inManifest = indexBy(Array.isArray(place.manifest) ? place.manifest : [], keys);
  const match: ListMatch = { keys, positions: [] };
  for (const [index, item] of desired.entries()) {
    const signature = signatureOf(item, keys, KEY_DEFAULTS);
    const position = positions.get(signature)?.shift();
    const known = inManifest.get(signature)?.[0];
    match.positions.push(position);
    const liveItem = position === undefined ? undefined : live[position];
    const token = String(known ?? position ?? '-');
    const manifest = known === undefined ? undefined : memberOf(place.manifest, known);
    const at = { tokens: [...place.tokens, token], steps: [...place.steps, { item, index, position, match }] };
    collect(context, { desired: item, live: liveItem, manifest, ...at });
  }
  for (const position of [...positions.values()].flat()) {
    const item = live[position] ?? null;
    const step = { item, index: undefined, position, match };
    const at = { tokens: [...place.tokens, String(position)], steps: [...place.steps, step] };
    find(context, { desired: undefined, live: item, manifest: undefined, ...at });
  }
  const matched = match.positions.filter((position) => position !== undefined);
  const isInOrder = matched.every((position, index) => index === 0 || (matched[index - 1] ?? 0) < position);
  if (!isInOrder) find(context, { ...place, reordered: match });
}

function find({ findings }: Context, { desired, live, tokens, steps, reordered }: Place): void {
  if (findings.length >= MAX_FINDINGS) return;
  findings.push({
    tokens,
    steps,
    ...(desired === undefined ? {} : { desired }),
    ...(live === undefined ? {} : { live }),
    ...(reordered === undefined ? {} : { reordered }),
  });
}

/** Key field names of a list that is merged by item; empty for a set; undefined for any other list. */
function keysAt({ sets, items }: Context, steps: readonly Step[]): readonly string[] | undefined {
  for (const { fields } of sets) {
    const node = fieldNodeAt(fields, steps, items);
    const type = node && listTypeOf(node);
    if (node && type === 'keyed') return keyNamesOf(keyedMembers(node).map(({ key }) => key));
    if (type === 'set') return [];
  }
  return undefined;
}

/** Positions of items by key; several if an item is in the list more than once. */
function indexBy(items: readonly Value[], keys: readonly string[]): Map<string, number[]> {
  const index = new Map<string, number[]>();
  for (const [position, item] of items.entries()) {
    const signature = signatureOf(item, keys, KEY_DEFAULTS);
    const same = index.get(signature);
    if (same) same.push(position);
    else index.set(signature, [position]);
  }
  return index;
}

function memberOf(value: Value | undefined, key: string | number): Value | undefined {
  if (Array.isArray(value)) return value[Number(key)];
  return isMap(value) ? own(value, String(key)) : undefined;
}
