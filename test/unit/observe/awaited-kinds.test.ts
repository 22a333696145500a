/** Objects whose definition is not served yet: no request is sent for them, and nothing is concluded about them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reachOf } from '../../../src/bind/reach.ts';
import { agentIdentity } from '../../../src/cluster/identity.ts';
import { idKey } from '../../../src/object/identity.ts';
import { observe, type ObserveOptions } from '../../../src/observe/observe.ts';
import { applicationOf, inventoryOf } from '../../support/applications.ts';
import { desiredOf, idOf } from '../../support/changes.ts';

const WIDGET = idOf('w', { group: 'example.com', kind: 'Widget' });
const CRD = idOf('widgets.example.com', {
  group: 'apiextensions.k8s.io',
  kind: 'CustomResourceDefinition',
  namespace: '',
});

for (const shouldProveAbsence of [false, true]) {
  for (const inventory of [inventoryOf(), inventoryOf(WIDGET)]) {
    const where = `${inventory.size > 0 ? 'in' : 'outside'} the inventory`;
    const when = shouldProveAbsence ? 'where no apply follows' : 'before an apply';
    test(`an object ${where} is not read while its definition is not served, ${when}`, async () => {
      const asked: string[] = [];
      const note = (what: string) => () => {
        asked.push(what);
        return Promise.resolve({ ok: true, object: undefined });
      };
      const held: unknown[] = [];
      const cluster = {
        as: () => ({ get: note('get') }),
        live: {
          keepWatched: (_application: string, _identity: unknown, scopes: readonly unknown[]) => {
            held.push(...scopes);
            return Promise.resolve();
          },
          look: note('look'),
          record: note('record'),
        },
      };
      const { live } = await observe({
        cluster: cluster as unknown as ObserveOptions['cluster'],
        identity: agentIdentity,
        reach: reachOf(agentIdentity, applicationOf().metadata, { allowCrossNamespace: true }),
        kinds: { served: new Map(), stale: new Set(), preferred: new Map() },
        isUnservedGone: false,
        application: 'apps/shop',
        desired: [{ ...desiredOf({ id: WIDGET }), awaitsCrd: CRD }],
        inventory,
        shouldProveAbsence,
        concurrency: 1,
        maxReadBytes: 1_000_000,
      });
      assert.deepEqual(live.get(idKey(WIDGET)), { state: 'unseen' });
      assert.deepEqual({ asked, held }, { asked: [], held: [] });
    });
  }
}
