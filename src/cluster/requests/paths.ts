/**
 * Request paths of the API.
 *
 * Invariant: a path names exactly the given object or collection. An empty name would address the whole collection
 * (with DELETE: all its objects), a slash another object or a subresource, `..` another path; all of them are refused.
 */
import type { ObjectId } from '../../object/identity.ts';
import type { KindInfo } from '../kinds.ts';

const PLURAL = /^[a-z0-9][-a-z0-9]*$/;
const GROUP_OR_NAMESPACE = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;
const VERSION = /^[a-z0-9]+$/i;

/** `/api/v1` or `/apis/<group>/<version>`. */
function groupVersionPath({ group, version }: KindInfo): string {
  check(VERSION.test(version), 'version', version);
  if (group === '') return `/api/${version}`;
  check(GROUP_OR_NAMESPACE.test(group), 'group', group);
  return `/apis/${group}/${version}`;
}

/**
 * The path of a kind's objects in one namespace, or in all where `namespace` is empty. Throws RangeError for an invalid
 * part.
 */
export function collectionPath(kind: KindInfo, namespace: string): string {
  check(PLURAL.test(kind.plural), 'plural name', kind.plural);
  if (!kind.isNamespaced || namespace === '') return `${groupVersionPath(kind)}/${kind.plural}`;
  check(GROUP_OR_NAMESPACE.test(namespace), 'namespace', namespace);
  return `${groupVersionPath(kind)}/namespaces/${namespace}/${kind.plural}`;
}

/**
 * The path of one object. Throws RangeError for an invalid part, for a name that is not a path segment, and for a
 * namespace that does not fit the scope of the kind.
 */
export function objectPath(kind: KindInfo, id: Pick<ObjectId, 'namespace' | 'name'>): string {
  // Without this check a namespaced object would be taken for the cluster-scoped one of the same name.
  check(kind.isNamespaced === (id.namespace !== ''), 'namespace', id.namespace);
  const isSegment = id.name !== '' && id.name !== '.' && id.name !== '..' && !/[/%]/.test(id.name);
  check(isSegment, 'name', id.name);
  return `${collectionPath(kind, id.namespace)}/${encodeURIComponent(id.name)}`;
}

/** `?a=b&c=d` without the undefined entries; empty if none is left. */
export function query(entries: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const parts: string[] = [];
  for (const [key, value] of Object.entries(entries)) {
    if (value !== undefined) parts.push(`${key}=${encodeURIComponent(String(value))}`);
  }
  return parts.length === 0 ? '' : `?${parts.join('&')}`;
}

function check(isValid: boolean, part: string, value: string): void {
  if (!isValid) throw new RangeError(`invalid ${part} for a request path: '${value.slice(0, 100)}'`);
}
