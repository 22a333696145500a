/**
 * Turns findings into differences for people: JSON pointer, both values, and the manager and time of the live value.
 *
 * Invariant: values of Secrets and of sealed files are masked, and every value is bounded.
 */
import { managedFieldsOf, fieldNodeAt, isLeaf, ItemIndex, type ManagedFields } from '../object/field-set.ts';
import { formatPointer } from '../object/pointer.ts';
import { isSensitivePath, maskValue } from '../object/redact.ts';
import { isMap, newMap, type KubeObject, type Value } from '../object/value.ts';
import type { FieldDifference } from './changes.ts';
import { unifiedHunks } from './text-hunks.ts';
import type { Finding } from './walk.ts';

/** Differences shown per change. */
export const MAX_FIELDS = 20;
/** Characters shown of one text within a value. */
const MAX_TEXT_CHARS = 256;
/** Scalars, members and items shown of one value. */
const MAX_NODES = 40;
const CUT = '…';

/** `isSealed`: no value of the object is shown. */
export function fieldDifferences(
  findings: readonly Finding[],
  { live, isSealed = false }: { readonly live: KubeObject; readonly isSealed?: boolean | undefined },
): FieldDifference[] {
  const entries = findings.length > 0 ? managedFieldsOf(live) : [];
  const items = new ItemIndex();
  return findings.slice(0, MAX_FIELDS).map((finding) => {
    const { tokens, desired } = finding;
    const isHidden = isSealed || isSensitivePath(live, tokens);
    const cut = sharedStart(desired, finding.live);
    const show = (value: Value): Value =>
      isHidden ? maskValue(boundValue(value)) : boundValue(withoutStart(value, cut));
    const hunks = isHidden ? undefined : hunksOf(finding.live, desired);
    const entry = entryFor(finding, entries, items);
    return {
      path: formatPointer(tokens),
      ...(desired === undefined ? {} : { desired: show(desired) }),
      ...(finding.live === undefined ? {} : { live: show(finding.live) }),
      ...(hunks === undefined ? {} : { hunks }),
      ...(entry === undefined ? {} : { manager: entry.manager }),
      ...(entry?.time === undefined ? {} : { managedAt: entry.time }),
    };
  });
}

function hunksOf(live: Value | undefined, desired: Value | undefined): string | undefined {
  if (typeof live !== 'string' || typeof desired !== 'string' || live === desired) return undefined;
  return live.includes('\n') || desired.includes('\n') ? unifiedHunks(live, desired) : undefined;
}

/** Characters shown before the first one that differs. */
const LEAD_CHARS = 32;

/** How much to leave out of two long texts that begin alike: otherwise only what is equal would be shown. */
function sharedStart(desired: Value | undefined, live: Value | undefined): number {
  if (typeof desired !== 'string' || typeof live !== 'string') return 0;
  let same = 0;
  while (same < desired.length && desired[same] === live[same]) same += 1;
  return same + LEAD_CHARS < MAX_TEXT_CHARS ? 0 : same - LEAD_CHARS;
}

function withoutStart(value: Value, cut: number): Value {
  return typeof value === 'string' && cut > 0 ? CUT + value.slice(cut) : value;
}

/**
 * The managedFields entry that owns the path itself, else one that owns a path below it; the latest of them. undefined
 * if no value is live, and for the order of a merged list, which managedFields do not record.
 */
function entryFor(
  { steps, live }: Finding,
  entries: readonly ManagedFields[],
  items: ItemIndex,
): ManagedFields | undefined {
  if (live === undefined) return undefined;
  let best: { entry: ManagedFields; rank: number } | undefined;
  for (const entry of entries) {
    const node = fieldNodeAt(entry.fields, steps, items);
    if (!node || (Array.isArray(live) && !isLeaf(node))) continue;
    const rank = isLeaf(node) || Object.hasOwn(node, '.') ? 1 : 0;
    const isLater = best === undefined || (entry.time ?? '') > (best.entry.time ?? '');
    if (best === undefined || rank > best.rank || (rank === best.rank && isLater)) best = { entry, rank };
  }
  return best?.entry;
}

/** Makes a bounded copy: cuts long texts, and leaves out members and items beyond the budget. */
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
