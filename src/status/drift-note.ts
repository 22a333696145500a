/**
 * The note about drift that a pass has corrected: object, field, both values, and the manager that had changed it.
 *
 * Invariants: values of Secrets are masked by diff/. A value of another object is shown only if it is short, and
 * never where people write passwords by mistake.
 */
import type { ChangeResult } from '../apply/applied.ts';
import type { FieldDifference } from '../diff/changes.ts';
import { compareIds, formatId } from '../object/identity.ts';
import { printable } from '../object/printable.ts';
import { MASK } from '../object/redact.ts';
import type { Value } from '../object/value.ts';

/** Objects that a note names, and fields of each. */
const MAX_OBJECTS = 5;
const MAX_FIELDS = 3;
const MAX_VALUE_CHARS = 40;

/** Fields whose values are not shown. */
const CONFIDENTIAL = /(^|\/)(env|args|command|data|binaryData|stringData|annotations)(\/|$)/;

/** `Deployment.apps shop/web: /spec/replicas 5 → 2 (kubectl)`, the objects separated by semicolons. */
export function describeDrift(results: readonly ChangeResult[]): string {
  const sorted = [...results].sort((a, b) => compareIds(a.change.id, b.change.id));
  const shown = sorted.slice(0, MAX_OBJECTS).map(describeObject);
  const more = sorted.length - shown.length;
  return more > 0 ? `${shown.join('; ')}; ${more} more` : shown.join('; ');
}

function describeObject({ change, outcome }: ChangeResult): string {
  const { id, fields } = change;
  if (outcome === 'created') return `${formatId(id)}: was missing`;
  const shown = fields.slice(0, MAX_FIELDS).map(describeField);
  const more = fields.length - shown.length;
  const text = shown.length > 0 ? shown.join(', ') : (change.reason ?? 'differed');
  return `${formatId(id)}: ${text}${more > 0 ? ` and ${more} more` : ''}`;
}

function describeField({ path, live, desired, manager }: FieldDifference): string {
  const by = manager === undefined ? '' : ` (${printable(manager)})`;
  const [before, after] = CONFIDENTIAL.test(path) ? [undefined, undefined] : [show(live), show(desired)];
  return before === undefined || after === undefined ? `${path} changed${by}` : `${path} ${before} → ${after}${by}`;
}

/** undefined: the value is masked, too long, or no scalar. */
function show(value: Value | undefined): string | undefined {
  if (value === undefined) return 'absent';
  if (value === MASK || (typeof value === 'object' && value !== null)) return undefined;
  const text = printable(String(value));
  return text.length > MAX_VALUE_CHARS ? undefined : text;
}
