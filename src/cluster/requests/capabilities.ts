/**
 * The cluster as charts see it (`.Capabilities`): its version and all API versions that it serves.
 *
 * Invariant: an API that does not answer keeps the kinds that it was last known to serve, because a chart that no
 * longer finds an API leaves out objects.
 */
import { digestValue } from '../../object/digest.ts';
import { kindKey, type Kinds } from '../kinds.ts';
import type { ClusterCapabilities } from '../ports.ts';

export interface CapabilitiesOptions {
  readonly version: () => Promise<string>;
  readonly kinds: () => Promise<Kinds>;
}

/** As long as neither the kinds nor the version change, the same value is returned. The function rejects as both do. */
export function createCapabilities({ version, kinds }: CapabilitiesOptions): () => Promise<ClusterCapabilities> {
  let known: { readonly kinds: Kinds; readonly capabilities: ClusterCapabilities } | undefined;
  return async () => {
    const [kubeVersion, current] = await Promise.all([version(), kinds()]);
    if (known?.kinds === current && known.capabilities.kubeVersion === kubeVersion) return known.capabilities;
    const apiVersions = apiVersionsOf(current, known?.capabilities.apiVersions ?? []);
    const capabilities = { kubeVersion, apiVersions, digest: digestValue({ kubeVersion, apiVersions }) };
    known = { kinds: current, capabilities };
    return capabilities;
  };
}

/** `group/version` and `group/version/Kind` of everything, sorted. */
function apiVersionsOf({ served, stale }: Kinds, before: readonly string[]): string[] {
  const versions = new Set<string>(stale);
  for (const { group, version, kind } of served.values()) {
    const apiVersion = group === '' ? version : `${group}/${version}`;
    versions.add(apiVersion).add(kindKey(apiVersion, kind));
  }
  if (stale.size > 0) {
    for (const one of before) if (stale.has(one.slice(0, one.lastIndexOf('/')))) versions.add(one);
  }
  return [...versions].sort();
}
