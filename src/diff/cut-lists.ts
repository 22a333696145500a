/** What is ignored in lists: by item where the server merges them by item, by position else. */
import type { FieldSet } from '../object/field-set.ts';
import { newMap, type Value, type ValueMap } from '../object/value.ts';
import { signatureOf } from './compare-list.ts';
import { membersOf, ownedWhole, withKey, type CutContext, type Member, type Parts, type Place } from './cut-place.ts';
import { KEY_DEFAULTS } from './known-values.ts';

type Cut = (context: CutContext, place: Place) => Parts;

/** A list merged by the fields `keys` of its items; by their values, if there are none. */
export function cutItems(
  context: CutContext,
  { place, keys, cut }: { place: Place; keys: readonly string[]; cut: Cut },
): Parts {
  const { paths, tokens, owned } = place;
  const desired = Array.isArray(place.desired) ? place.desired : [];
  const live = Array.isArray(place.live) ? place.live : [];
  const sign = (item: Value): string => signatureOf(item, keys, context.isLenient ? KEY_DEFAULTS : undefined);
  const liveItems = new Map(live.map((item) => [sign(item), item] as const).reverse());
  const members = membersOf(owned, sign);
  const others = place.others.map((node) => membersOf(node, sign));
  const theirs = place.theirs.map((node) => membersOf(node, sign));
  const left = { desired: [] as Value[], sent: [] as Value[], live: new Map<string, Value | undefined>() };
  const leftOwned: ValueMap = newMap(Object.entries(owned ?? {}));
  const cutOne = (signature: string, item: Value | undefined, token: string): void => {
    const member = members.get(signature);
    const liveItem = liveItems.get(signature);
    const parts = cut(context, {
      desired: item,
      live: liveItem,
      owned: member?.fields,
      others: fieldsAt(others, signature),
      paths: paths.below(token),
      theirs: fieldsAt(theirs, signature),
      tokens: [...tokens, token],
      isAtomic: false,
      keyNames: keys,
    });
    if (parts.desired !== undefined) left.desired.push(parts.desired);
    if (parts.sent !== undefined) left.sent.push(withKey(parts.sent, liveItem, keys));
    left.live.set(signature, parts.live);
    if (!member) return;
    if (parts.owned === undefined) delete leftOwned[member.name];
    else leftOwned[member.name] = parts.owned;
  };
  const wanted = desired.map(sign);
  desired.forEach((item, index) => cutOne(wanted[index] ?? '', item, String(index)));
  // Ours from before, and desired no more: no index of the desired list is theirs, so only `*` means them.
  const isWanted = new Set(wanted);
  for (const signature of members.keys()) if (!isWanted.has(signature)) cutOne(signature, undefined, '-');
  const leftLive = live.flatMap((item) => {
    const signature = sign(item);
    return left.live.has(signature) ? (left.live.get(signature) ?? []) : [item];
  });
  return {
    desired: unlessEmptied(left.desired, place.desired),
    live: unlessEmptied(leftLive, place.live),
    owned: owned && (Object.keys(leftOwned).length === 0 ? undefined : leftOwned),
    sent: left.sent.length > 0 ? left.sent : unlessEmptied(left.sent, place.desired),
  };
}

/** An atomic list, or one of which nobody knows how it is merged: it is sent whole, so live values fill the gaps. */
export function cutPositions(context: CutContext, { place, cut }: { place: Place; cut: Cut }): Parts {
  const { paths, tokens } = place;
  const desired = Array.isArray(place.desired) ? place.desired : [];
  const live = Array.isArray(place.live) ? place.live : [];
  const left = { desired: [] as Value[], live: [] as Value[], sent: [] as Value[] };
  for (let index = 0; index < Math.max(desired.length, live.length); index++) {
    const parts = cut(context, {
      desired: desired[index],
      live: live[index],
      owned: undefined,
      others: [],
      paths: paths.below(String(index)),
      theirs: [],
      tokens: [...tokens, String(index)],
      isAtomic: true,
    });
    for (const side of ['desired', 'live', 'sent'] as const) {
      const part = parts[side];
      if (part !== undefined) left[side].push(part);
    }
  }
  const sides = {
    desired: unlessEmptied(left.desired, place.desired),
    live: unlessEmptied(left.live, place.live),
  };
  return {
    ...sides,
    owned: ownedWhole(place, sides),
    sent: left.sent.length > 0 ? left.sent : unlessEmptied(left.sent, place.desired),
  };
}

function fieldsAt(members: readonly ReadonlyMap<string, Member>[], signature: string): FieldSet[] {
  return members.map((one) => one.get(signature)?.fields).filter((fields) => fields !== undefined);
}

/** undefined: nothing but what is ignored was in it, or it is no list. */
function unlessEmptied(list: Value[], before: Value | undefined): Value | undefined {
  if (!Array.isArray(before)) return before;
  return list.length === 0 && before.length > 0 ? undefined : list;
}
