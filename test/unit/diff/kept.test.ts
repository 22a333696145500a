import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { REASONS } from '../../../src/diff/diff.ts';
import { planChanges } from '../../../src/plan/plan.ts';
import { judgeLeftover, liveOf, ours } from './fixtures.ts';

const SYNC_OPTIONS = ['Prune=false', 'Prune=confirm', 'Delete=false', 'PruneLast=true', 'Force=true'];
const FLUX = 'kustomize.toolkit.fluxcd.io/prune';

const anyAnnotations = fc.record(
  {
    [FLUX]: fc.constantFrom('disabled', 'Disabled', 'enabled'),
    'helm.sh/resource-policy': fc.constantFrom('keep', 'delete'),
    'argocd.argoproj.io/sync-options': fc.subarray(SYNC_OPTIONS).map((words) => words.join(', ')),
    'argocd.argoproj.io/sync-wave': fc.constantFrom('-1', '0', '7'),
  },
  { requiredKeys: [] },
);

test('an object that left Git is pruned unless its annotations keep it, confirmed or not', () => {
  fc.assert(
    fc.property(anyAnnotations, fc.boolean(), (annotations, isConfirmed) => {
      const words = annotations['argocd.argoproj.io/sync-options']?.split(', ') ?? [];
      const isKept =
        annotations[FLUX]?.toLowerCase() === 'disabled' ||
        annotations['helm.sh/resource-policy'] === 'keep' ||
        words.includes('Prune=false');
      const body = ours('v1', 'ConfigMap', 'a', { metadata: { annotations } });
      const change = judgeLeftover(body, liveOf(body));
      const plan = planChanges({
        changes: [change],
        mode: 'auto',
        mayPrune: true,
        isComplete: true,
        objectsBefore: 1,
        guard: { maxShare: 1, maxObjects: 10 },
        isConfirmed,
      });
      const isHeld = !isKept && !isConfirmed && words.includes('Prune=confirm');
      assert.equal(plan.prunes.length, isKept || isHeld ? 0 : 1);
      assert.equal(plan.releases.length, isKept ? 1 : 0);
      assert.equal(plan.held !== undefined, isHeld);
      if (isKept) assert.equal(change.reason, REASONS.kept);
    }),
  );
});
