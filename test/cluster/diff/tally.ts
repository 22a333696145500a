/** Compares verdicts of diff/ with the server, and counts them by the mutation that led to them. */
import assert from 'node:assert/strict';
import type { DesiredObject } from '../../../src/bind/desired.ts';
import type { LiveObject } from '../../../src/cluster/live.ts';
import type { Baseline, Change } from '../../../src/diff/changes.ts';
import { judgeDryRun } from '../../../src/diff/evidence.ts';
import { formatId } from '../../../src/object/identity.ts';
import { stringifyJson } from '../../../src/object/json.ts';
import { isEqualValue, type Value } from '../../../src/object/value.ts';
import { assertLaw, hasSoundKeys, patched } from '../../unit/diff/patch-law.ts';
import { essence, show, type Referee } from './referee.ts';

interface Case {
  readonly way: string;
  readonly title: string;
  readonly desired: DesiredObject;
  readonly live: LiveObject;
  readonly baseline?: Baseline;
}

export interface Tally {
  checked: number;
  /** Mutations and manifests that the server refused. */
  refused: number;
  readonly byOutcome: Map<string, number>;
  /** The number of compared cases, by mutation. */
  readonly byWay: Map<string, number>;
  /** Cases with the verdict `none` in which the server would change something. */
  readonly missed: string[];
  /** Cases with the verdict `update` in which the server would change nothing. */
  readonly invented: string[];
}

export function newTally(): Tally {
  return { checked: 0, refused: 0, byOutcome: new Map(), byWay: new Map(), missed: [], invented: [] };
}

/** Judges one case without a baseline and, if there is one, with it. */
export async function checkCase(tally: Tally, referee: Referee, one: Case): Promise<void> {
  const { desired, live, baseline } = one;
  const title = `${formatId(desired.id)}: ${one.title}`;
  const answer = await referee.dryRun(desired, live);
  if (!answer) {
    tally.refused++;
    return;
  }
  tally.checked++;
  add(tally.byWay, one.way);
  const { returned, isChanged } = answer;
  const { id, kind } = desired;
  const judged = judgeDryRun({ type: 'unsure', id, kind, desired, live, fields: [] }, returned);
  assert.equal(judged.type, isChanged ? 'update' : 'none', `${title}: the dry run is read right`);
  assertExact(judged, returned, title);
  const changes = [referee.judge(desired, live)];
  if (baseline) changes.push(referee.judge(desired, live, baseline));
  for (const change of changes) {
    const { type, fields } = change;
    if (type !== 'none' && type !== 'conflict' && hasSoundKeys(desired.body)) assertLaw(change, title);
    add(tally.byOutcome, `${type} where the server ${isChanged ? 'changes' : 'changes nothing'}`);
    if (type === 'none' && isChanged) tally.missed.push(`${title}: ${show(judged.fields)}`);
    if (type === 'update' && !isChanged) tally.invented.push(`${title}: ${show(fields)}`);
  }
}

/** Asserts that the patch of a dry run turns the live object into the one that the server would make. */
function assertExact({ desired, live, patch }: Change, returned: LiveObject, title: string): void {
  assert.ok(desired && live);
  if (patch?.isMasked) return assert.throws(() => patched(live.body, patch), /Test operation failed/, title);
  const made = patch ? patched(live.body, patch) : live.body;
  const text = `${title}: ${stringifyJson((patch ?? null) as unknown as Value)}`;
  assert.ok(isEqualValue(essence(made, desired), essence(returned.body, desired)), text);
}

export function textOf({ checked, refused, byOutcome, byWay }: Tally): string {
  const list = (map: Map<string, number>) => [...map].map(([name, count]) => `${count} ${name}`).join(', ');
  return `${checked} compared, ${refused} refused by the server; ${list(byOutcome)}; of them ${list(byWay)}`;
}

function add(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
