/** Removes ignored parts of lists: by item where the server merges the list by item, else by position. */
import type { FieldSet } from '../object/field-set.ts';
import { newMap, type Value, type ValueMap } from '../object/value.ts';
import { signatureOf } from './compare-list.ts';
import { membersOf, ownedWhole, withKey, type CutContext, type Member, type Parts, type Place } from './cut-place.ts';
import { KEY_DEFAULTS } from './known-values.ts';

type Cut = (context: CutContext, place: Place) => Parts;

/** Cuts a list that is merged by the fields `keys` of its items, or by their values if there are no keys. */
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
  const ignoredNodes = place.ignoredNodes.map((node) => membersOf(node, sign));
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
      paths: paths.belowItem(token, [item, liveItem]),
      ignoredNodes: fieldsAt(ignoredNodes, signature),
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
  // Items that we own and no longer desire have no index in the desired list, so only `*` matches them.
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

/** Cuts an atomic list, or one of unknown merging. It is sent whole, so live values replace ignored parts. */
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
      paths: paths.belowItem(String(index), [desired[index], live[index]]),
      ignoredNodes: [],
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

/** undefined if all items were ignored; anything but a list is returned as it is. */
function unlessEmptied(list: Value[], before: Value | undefined): Value | undefined {
  if (!Array.isArray(before)) return before;
  return list.length === 0 && before.length > 0 ? undefined : list;
}
