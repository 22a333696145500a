/** The policy by which an Application ends, from its spec. */
import type { ApplicationSpec } from './schema.ts';

/**
 * The policy of the spec. Without one, an Application that was told never to delete an object (`sync.prune: false`,
 * `sync.mode: detect`) deletes none at its end either. A suspended or unreadable Application releases its objects.
 */
export function declaredPolicy(spec: ApplicationSpec | undefined): 'Prune' | 'Orphan' {
  if (!spec || spec.suspend) return 'Orphan';
  const { deletionPolicy, sync } = spec;
  return deletionPolicy ?? (sync.prune && sync.mode !== 'detect' ? 'Prune' : 'Orphan');
}
