/** Short names of objects on the command line: `deployment/web` or `Deployment.apps/web`, completed from the status. */
import { decodeInventory } from '../application/inventory.ts';
import { formatId, idKey, type ObjectId } from '../object/identity.ts';
import type { KubeObject } from '../object/value.ts';
import { factsOf } from './application-facts.ts';

export type CompletedObject =
  { readonly ok: true; readonly object: string } | { readonly ok: false; readonly problem: string };

/** Objects that a message names. */
const MAX_NAMED = 5;

/** A full name is returned as it is; a short one must name one object that the Application has or lacks. */
export function completeObject(text: string, application: KubeObject): CompletedObject {
  const parts = text.split('/');
  if (parts.length > 2) return { ok: true, object: text };
  const [kind = '', name] = parts;
  if (name === undefined)
    return { ok: false, problem: `--object ${text} must be Kind/name or group/Kind/namespace/name` };
  const known = knownObjects(application);
  const found = known.filter((id) => id.name === name && isKind(id, kind));
  const [only] = found;
  if (only && found.length === 1) return { ok: true, object: idKey(only) };
  if (found.length === 0) return { ok: false, problem: `it has no object ${text}; write group/Kind/namespace/name` };
  const names = found.slice(0, MAX_NAMED).map(formatId).join(', ');
  return { ok: false, problem: `--object ${text} names several objects (${names}); write group/Kind/namespace/name` };
}

export function isKind({ group, kind }: ObjectId, text: string): boolean {
  const wanted = text.toLowerCase();
  return [kind, `${kind}.${group}`, `${kind}s`, `${kind}s.${group}`].some((form) => form.toLowerCase() === wanted);
}

/** The inventory, and objects that are missing in the cluster. */
export function knownObjects(application: KubeObject): ObjectId[] {
  const { status } = factsOf(application);
  const decoded = decodeInventory(status.inventory);
  const byKey = new Map<string, ObjectId>();
  for (const id of decoded.ok ? decoded.ids : []) byKey.set(idKey(id), id);
  for (const { group, kind, namespace, name } of status.resources ?? []) {
    const id = { group, kind, namespace, name };
    byKey.set(idKey(id), id);
  }
  return [...byKey.values()];
}
