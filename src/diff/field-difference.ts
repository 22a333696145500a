/**
 * Findings → what people are shown: JSON pointer, both values, and who wrote the live one when.
 *
 * Invariant: no value of a Secret passes through here, and every value is bounded.
 */
import { managedFieldsOf, fieldNodeAt, isLeaf, type ManagedFields } from '../object/field-set.ts';
import { formatPointer } from '../object/pointer.ts';
import { isSensitivePath, maskValue } from '../object/redact.ts';
import { isMap, newMap, type KubeObject, type Value } from '../object/value.ts';
import type { FieldDifference } from './changes.ts';
import type { Finding } from './walk.ts';

/** Differences shown of one change. */
export const MAX_FIELDS = 20;
/** Characters of one text within a value. */
const MAX_TEXT_CHARS = 256;
/** Scalars, members and items of one value. */
const MAX_NODES = 40;
const CUT = '…';

export function fieldDifferences(findings: readonly Finding[], live: KubeObject): FieldDifference[] {
  const entries = findings.length > 0 ? managedFieldsOf(live) : [];
  return findings.slice(0, MAX_FIELDS).map((finding) => {
    const { tokens, desired } = finding;
    const isHidden = isSensitivePath(live, tokens);
    const show = (value: Value): Value => (isHidden ? maskValue(boundValue(value)) : boundValue(value));
    const holder = holderOf(finding, entries);
    return {
      path: formatPointer(tokens),
      ...(desired === undefined ? {} : { desired: show(desired) }),
      ...(finding.live === undefined ? {} : { live: show(finding.live) }),
      ...(holder === undefined ? {} : { manager: holder.manager }),
      ...(holder?.time === undefined ? {} : { managedAt: holder.time }),
    };
  });
}

/**
 * The entry that holds a path itself, else one that holds something below it; the latest of them. Nobody wrote what is
 * not there, and nobody is known to have put the items of a merged list in their order.
 */
function holderOf({ steps, live }: Finding, entries: readonly ManagedFields[]): ManagedFields | undefined {
  if (live === undefined) return undefined;
  let best: { entry: ManagedFields; rank: number } | undefined;
  for (const entry of entries) {
    const node = fieldNodeAt(entry.fields, steps);
    if (!node || (Array.isArray(live) && !isLeaf(node))) continue;
    const rank = isLeaf(node) || Object.hasOwn(node, '.') ? 1 : 0;
    const isLater = best === undefined || (entry.time ?? '') > (best.entry.time ?? '');
    if (best === undefined || rank > best.rank || (rank === best.rank && isLater)) best = { entry, rank };
  }
  return best?.entry;
}

/** A copy that is small enough to be stored and shown: long texts are cut, as are further members and items. */
export function boundValue(value: Value, budget: { nodes: number } = { nodes: MAX_NODES }): Value {
  budget.nodes--;
  if (typeof value === 'string') return value.length <= MAX_TEXT_CHARS ? value : value.slice(0, MAX_TEXT_CHARS) + CUT;
  if (Array.isArray(value)) {
    const items: Value[] = [];
    for (const item of value) {
      if (budget.nodes <= 0) return [...items, CUT];
      items.push(boundValue(item, budget));
    }
    return items;
  }
  if (!isMap(value)) return value;
  const map = newMap();
  for (const key of Object.keys(value)) {
    if (budget.nodes <= 0) {
      map[CUT] = CUT;
      break;
    }
    map[key.length <= MAX_TEXT_CHARS ? key : key.slice(0, MAX_TEXT_CHARS) + CUT] = boundValue(
      value[key] ?? null,
      budget,
    );
  }
  return map;
}
