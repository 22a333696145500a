/** A map of sets without empty sets: members are added and removed one by one. */

export function addMember<K, V>(map: Map<K, Set<V>>, key: K, member: V): void {
  const members = map.get(key);
  if (members) members.add(member);
  else map.set(key, new Set([member]));
}

export function removeMember<K, V>(map: Map<K, Set<V>>, key: K, member: V): void {
  const members = map.get(key);
  members?.delete(member);
  if (members?.size === 0) map.delete(key);
}
