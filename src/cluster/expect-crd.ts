/** The check at the start of the agent that its definition is installed. */
import { API_VERSION } from '../application/keys.ts';
import { APPLICATION_KIND } from '../object/applyset.ts';
import { StageError } from '../object/stage-error.ts';
import { kindKey } from './kinds.ts';
import type { Cluster } from './ports.ts';

/** Throws StageError CrdMissing. */
export async function expectCrd(cluster: Pick<Cluster, 'kinds'>): Promise<void> {
  const kinds = await cluster.kinds({ refresh: true });
  if (kinds.served.has(kindKey(API_VERSION, APPLICATION_KIND))) return;
  throw new StageError({
    stage: 'observe',
    code: 'CrdMissing',
    retry: 'never',
    message:
      `the cluster does not serve ${APPLICATION_KIND} of ${API_VERSION}; ` +
      'install it with: tautline crd | kubectl apply --server-side -f -',
  });
}
