/** The API versions that charts see. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kindKey, type Kinds } from '../../../../src/cluster/kinds.ts';
import { createCapabilities } from '../../../../src/cluster/requests/capabilities.ts';
import { kindOf } from '../../../support/changes.ts';

function kindsOf(served: readonly (readonly [group: string, kind: string])[], stale: readonly string[] = []): Kinds {
  const infos = served.map(([group, kind]) => kindOf({ group, kind, namespace: 'shop', name: 'x' }));
  return {
    served: new Map(
      infos.map((info) => [
        kindKey(info.group === '' ? info.version : `${info.group}/${info.version}`, info.kind),
        info,
      ]),
    ),
    stale: new Set(stale),
    preferred: new Map(),
  };
}

test('all versions and kinds are given, sorted, and the same value while nothing changes', async () => {
  const kinds = kindsOf([
    ['apps', 'Deployment'],
    ['', 'ConfigMap'],
  ]);
  const capabilities = createCapabilities({
    version: () => Promise.resolve('v1.36.3'),
    kinds: () => Promise.resolve(kinds),
  });
  const first = await capabilities();
  assert.equal(first.kubeVersion, 'v1.36.3');
  assert.deepEqual(first.apiVersions, ['apps/v1', 'apps/v1/Deployment', 'v1', 'v1/ConfigMap']);
  assert.equal(await capabilities(), first);
});

test('an API that does not answer keeps the kinds that it served', async () => {
  let kinds = kindsOf([
    ['apps', 'Deployment'],
    ['metrics.k8s.io', 'PodMetrics'],
  ]);
  const capabilities = createCapabilities({
    version: () => Promise.resolve('v1.36.3'),
    kinds: () => Promise.resolve(kinds),
  });
  const { digest } = await capabilities();
  kinds = kindsOf([['apps', 'Deployment']], ['metrics.k8s.io/v1']);
  assert.equal((await capabilities()).digest, digest);
  kinds = kindsOf([['apps', 'Deployment']]);
  assert.notEqual((await capabilities()).digest, digest);
});
