/**
 * Request paths of the API.
 *
 * Invariant: a path made here names exactly what was asked for. An empty name would be the whole collection (and a
 * DELETE of it), a slash another object or a subresource, `..` another folder; all are refused before anything is sent.
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

/** The objects of a kind in one namespace, or in all where `namespace` is empty. Throws RangeError. */
export function collectionPath(kind: KindInfo, namespace: string): string {
  check(PLURAL.test(kind.plural), 'plural', kind.plural);
  if (!kind.namespaced || namespace === '') return `${groupVersionPath(kind)}/${kind.plural}`;
  check(GROUP_OR_NAMESPACE.test(namespace), 'namespace', namespace);
  return `${groupVersionPath(kind)}/namespaces/${namespace}/${kind.plural}`;
}

/** One object. Throws RangeError for a name that is no path segment, and for a namespaced kind without namespace. */
export function objectPath(kind: KindInfo, id: Pick<ObjectId, 'namespace' | 'name'>): string {
  check(!kind.namespaced || id.namespace !== '', 'namespace', id.namespace);
  const isSegment = id.name !== '' && id.name !== '.' && id.name !== '..' && !/[/%]/.test(id.name);
  check(isSegment, 'name', id.name);
  return `${collectionPath(kind, id.namespace)}/${encodeURIComponent(id.name)}`;
}

/** `?a=b&c=d`, or nothing; entries of undefined are left out. */
export function query(entries: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const parts: string[] = [];
  for (const [key, value] of Object.entries(entries)) {
    if (value !== undefined) parts.push(`${key}=${encodeURIComponent(String(value))}`);
  }
  return parts.length === 0 ? '' : `?${parts.join('&')}`;
}

function check(isValid: boolean, what: string, value: string): void {
  if (!isValid) throw new RangeError(`not a valid ${what} for a request: '${value.slice(0, 100)}'`);
}
