/** A run of helm without options, for tests that change one of them. */
import type { HelmRun } from '../../src/render/needs.ts';

/** The chart is the folder `web` of the repository, and the release `web` goes to the namespace `shop`. */
export function helmRunOf(changes: Partial<HelmRun> = {}): HelmRun {
  return {
    chart: { tree: '', path: 'web' },
    chartOid: 'oid',
    dependencies: [],
    values: [],
    parameters: [],
    releaseName: 'web',
    namespace: 'shop',
    kubeVersion: undefined,
    apiVersions: [],
    includeCrds: true,
    skipTests: true,
    skipHooks: false,
    ...changes,
  };
}
