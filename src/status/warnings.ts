/**
 * The warnings in status: those of the last render, then those of the API server, sorted by object.
 *
 * Invariant: a warning about an object stays until the object is applied again or is no longer desired. The API server
 * only warns about a manifest that it receives, and an accepted manifest is not sent again.
 */
import { cutText } from '../application/conditions.ts';
import type { StoredStatus } from '../application/schema.ts';
import { STATUS_LIMITS, type StatusWarning } from '../application/status-schema.ts';
import { formatId, idKey } from '../object/identity.ts';
import type { PassReport } from './report.ts';

export function nextWarnings({ warnings: stored = [] }: StoredStatus, report: PassReport): StatusWarning[] {
  if (report.phase === 'begun') return [...stored];
  const byObject = new Map<string, readonly string[]>(storedByObject(stored, report));
  for (const { id, warnings } of report.changes) if (warnings) byObject.set(idKey(id), warnings);
  for (const [key, { warnings }] of report.applied) if (warnings) byObject.set(key, warnings);
  const ofRender = new Set(report.renderWarnings?.map(withoutPrefix) ?? storedOfRender(stored));
  const ofObjects = [...byObject.keys()]
    .sort()
    .flatMap((object) => [...new Set(byObject.get(object))].sort().map((message) => ({ object, message })));
  return [...[...ofRender].map((message) => ({ message })), ...ofObjects]
    .slice(0, STATUS_LIMITS.maxWarnings)
    .map((warning) => ({ ...warning, message: cutText(warning.message, STATUS_LIMITS.maxResourceMessageChars) }));
}

/** `ConfigMap shop/a: unknown field "x"`; a warning of the render is only its text. */
export function formatWarning({ object, message }: StatusWarning): string {
  if (object === undefined) return message;
  const [group = '', kind = '', namespace = '', name = ''] = object.split('/');
  return `${formatId({ group, kind, namespace, name })}: ${message}`;
}

/** By `idKey`: stored warnings of objects that are still desired; all of them if this pass could not compare. */
function storedByObject(
  stored: readonly StatusWarning[],
  { changes, isComplete }: PassReport,
): ReadonlyMap<string, readonly string[]> {
  const byObject = new Map<string, string[]>();
  if (stored.every(({ object }) => object === undefined)) return byObject;
  const isCompared = isComplete || changes.length > 0;
  const owned = changes.filter(({ desired, type }) => desired !== undefined && type !== 'conflict');
  const keys = new Set(owned.map(({ id }) => idKey(id)));
  for (const { object, message } of stored) {
    if (object === undefined || (isCompared && !keys.has(object))) continue;
    byObject.set(object, [...(byObject.get(object) ?? []), message]);
  }
  return byObject;
}

function storedOfRender(stored: readonly StatusWarning[]): string[] {
  return stored.filter(({ object }) => object === undefined).map(({ message }) => message);
}

/** The render prints warnings exactly as kustomize does: `# Warning: 'bases' is deprecated. …`. */
function withoutPrefix(warning: string): string {
  return warning.replace(/^# Warning: /, '');
}
