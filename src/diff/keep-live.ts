/**
 * Builds the value to send for a path that is ignored as a whole, so that its live value stays.
 *
 * Invariant: a live value is sent only with the resourceVersion that it was read at (`isGuarded`), so that a concurrent
 * change is refused instead of undone.
 */
import { isLeaf, keyedMembers, type FieldSet } from '../object/field-set.ts';
import { isMap, newMap, own, type Value } from '../object/value.ts';
import { keyNamesOf, signatureOf } from './compare-list.ts';
import { membersOf, nodeOf, nodesOf, withKey, type CutContext, type Place } from './cut-place.ts';

/** undefined: nothing needs to be sent, and the live value stays. */
export function keepLive(context: CutContext, place: Place): Value | undefined {
  const { desired, live, owned, others, tokens, isAtomic } = place;
  if (live === undefined) return undefined;
  if (isAtomic) return liveValue(context, tokens, live);
  // A value that another manager owns stays without us. A value without an owner that Git does not set was never ours.
  if (!owned) return others.length > 0 || desired === undefined ? undefined : liveValue(context, tokens, live);
  context.isGuarded = true;
  const part = { live, owned, others, tokens };
  return place.keyNames ? ownItem(context, part) : ownPart(context, part);
}

interface Owned extends Pick<Place, 'others' | 'tokens'> {
  readonly live: Value;
  readonly owned: FieldSet;
}

/** The part of a live value that only we own. */
function ownPart(context: CutContext, { live, owned, others, tokens }: Owned): Value | undefined {
  if (isLeaf(owned)) return others.length > 0 ? undefined : liveValue(context, tokens, live);
  if (Array.isArray(live)) return ownItems(context, { live, owned, others, tokens });
  if (!isMap(live)) return liveValue(context, tokens, live);
  const part = newMap();
  for (const member of Object.keys(owned)) {
    const key = member.slice(2);
    const value = member.startsWith('f:') ? own(live, key) : undefined;
    const below = nodeOf(owned, member);
    if (value === undefined || !below) continue;
    const kept = ownPart(context, {
      live: value,
      owned: below,
      others: nodesOf(others, member),
      tokens: [...tokens, key],
    });
    if (kept !== undefined) part[key] = kept;
  }
  // While others own the map, an empty part is not sent: we would own no field in it and give it up in the next pass.
  const isHeld = others.length > 0 || !Object.hasOwn(owned, '.');
  return Object.keys(part).length === 0 && isHeld ? undefined : part;
}

/** An item that only we added is sent with its key, even if other managers own all of its fields. */
function ownItem(context: CutContext, part: Owned): Value | undefined {
  const isOurs = Object.hasOwn(part.owned, '.') && !part.others.some((node) => Object.hasOwn(node, '.'));
  return ownPart(context, part) ?? (isOurs && isMap(part.live) ? newMap() : undefined);
}

function ownItems(
  context: CutContext,
  { live, owned, others, tokens }: Owned & { readonly live: Value[] },
): Value | undefined {
  const keys = keyNamesOf(keyedMembers(owned).map(({ key }) => key));
  const members = membersOf(owned, (item) => signatureOf(item, keys));
  const items = live.flatMap((item, index) => {
    const member = members.get(signatureOf(item, keys));
    if (!member) return [];
    const kept = ownItem(context, {
      live: item,
      owned: member.fields,
      others: nodesOf(others, member.name),
      tokens: [...tokens, String(index)],
    });
    return kept === undefined ? [] : [withKey(kept, item, keys)];
  });
  return items.length > 0 ? items : undefined;
}

function liveValue(context: CutContext, tokens: readonly string[], live: Value): Value | undefined {
  context.isGuarded = true;
  if (!context.isSecret || tokens[0] !== 'data') return live;
  const [, key] = tokens;
  for (const name of key === undefined && isMap(live) ? Object.keys(live) : [key ?? '']) context.secretKeys.add(name);
  return undefined;
}
