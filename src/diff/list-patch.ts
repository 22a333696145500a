/**
 * Operations that add, remove and move the items of a list that the server merges by item.
 *
 * Invariant: items that only the live list has are never moved. Each operation applies to the list as the earlier ones
 * leave it.
 */
import { formatPointer } from '../object/pointer.ts';
import type { Value } from '../object/value.ts';
import type { PatchOperation } from './changes.ts';
import type { ListMatch } from './walk.ts';

/** Keys of maps and indexes of lists that lead to a place of the live object. */
export type Address = readonly (string | number)[];

export interface ListChange {
  readonly address: Address;
  /** Undefined: there is no list at the address. */
  readonly live: readonly Value[] | undefined;
  readonly match: ListMatch;
  /** By index in the desired list. */
  readonly added: Map<number, Value>;
  /** Indexes in the live list. */
  readonly removed: Set<number>;
}

export interface ListPatch {
  readonly operations: readonly PatchOperation[];
  /** Indexes in the live list of the items that are moved. */
  readonly moved: readonly number[];
}

export function patchList({ address, live = [], match, added, removed }: ListChange): ListPatch {
  const at = (index: number): string => formatPointer([...address, index]);
  const operations: PatchOperation[] = [];
  // Items by their live index. Added items get the numbers from the length of the live list on.
  const slots = [...live.keys()];
  for (const position of [...removed].sort((a, b) => b - a)) {
    operations.push({ op: 'remove', path: at(position) });
    slots.splice(position, 1);
  }
  const wanted = new Set<number>();
  for (const [index, position] of match.positions.entries()) {
    if (position !== undefined) wanted.add(position);
    else if (added.has(index)) wanted.add(live.length + index);
  }
  const staying = longestRise([...wanted].filter((item) => item < live.length));
  const [first] = staying;
  const moved: number[] = [];
  let before: number | undefined;
  for (const item of wanted) {
    if (!staying.has(item)) {
      const from = slots.indexOf(item);
      if (from >= 0) slots.splice(from, 1);
      const to =
        before !== undefined ? slots.indexOf(before) + 1 : first !== undefined ? slots.indexOf(first) : slots.length;
      slots.splice(to, 0, item);
      if (from < 0) operations.push({ op: 'add', path: at(to), value: added.get(item - live.length) ?? null });
      else if (from !== to) {
        operations.push({ op: 'move', from: at(from), path: at(to) });
        moved.push(item);
      }
    }
    before = item;
  }
  return { operations, moved };
}

/** A longest increasing subsequence: the most items that can stay where they are. */
function longestRise(numbers: readonly number[]): Set<number> {
  const lengths: number[] = [];
  const previous: number[] = [];
  let end = -1;
  for (const [index, number] of numbers.entries()) {
    lengths[index] = 1;
    previous[index] = -1;
    for (let earlier = 0; earlier < index; earlier++) {
      const length = (lengths[earlier] ?? 0) + 1;
      if ((numbers[earlier] ?? 0) > number || length <= (lengths[index] ?? 0)) continue;
      lengths[index] = length;
      previous[index] = earlier;
    }
    if (end < 0 || (lengths[index] ?? 0) > (lengths[end] ?? 0)) end = index;
  }
  const rise: number[] = [];
  for (let index = end; index >= 0; index = previous[index] ?? -1) rise.unshift(numbers[index] ?? 0);
  return new Set(rise);
}
