/** A webhook brings forward the polls of all Applications that read the pushed repository, and of no others. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hearPush } from '../../../../src/reconcile/neighbours/hear-push.ts';
import { createNeighbourhood } from '../../../support/applications.ts';

const SHOP = 'https://git.example.com/team/shop.git';
const VALUES = 'https://git.example.com/team/values.git';

/** The names of the Applications that poll after a push, each with one `spec` in the order of the list. */
function heardBy(
  push: { readonly address: string; readonly refs?: readonly string[] },
  specs: readonly object[],
): string[] {
  const { add, neighbours, woken } = createNeighbourhood();
  for (const [index, spec] of specs.entries()) add({ name: `app-${index}`, spec: { ...spec } });
  const { address, refs = ['refs/heads/main'] } = push;
  const count = hearPush({ addresses: [address], refs, defaultBranch: 'main' }, neighbours);
  assert.equal(count, woken.length);
  return [...woken].sort();
}

test('a push to the repository of spec.source is heard', () => {
  const specs = [{ source: { repoURL: SHOP } }, { source: { repoURL: VALUES } }];
  assert.deepEqual(heardBy({ address: SHOP }, specs), ['apps/app-0']);
});

test('a push to a repository of spec.sources is heard', () => {
  const specs = [
    { source: { repoURL: SHOP }, sources: [{ name: 'values', repoURL: VALUES }] },
    { source: { repoURL: SHOP } },
  ];
  assert.deepEqual(heardBy({ address: VALUES }, specs), ['apps/app-0']);
  assert.deepEqual(heardBy({ address: 'git@git.example.com:team/values' }, specs), ['apps/app-0']);
  assert.deepEqual(heardBy({ address: SHOP }, specs), ['apps/app-0', 'apps/app-1']);
});

test('a push to a branch is heard if the source of this repository follows it', () => {
  const sources = [{ name: 'values', repoURL: VALUES, revision: 'stable' }];
  const specs = [{ source: { repoURL: SHOP, revision: 'main' }, sources }];
  assert.deepEqual(heardBy({ address: VALUES, refs: ['refs/heads/stable'] }, specs), ['apps/app-0']);
  assert.deepEqual(heardBy({ address: VALUES, refs: ['refs/heads/main'] }, specs), []);
  assert.deepEqual(heardBy({ address: SHOP, refs: ['refs/heads/stable'] }, specs), []);
});

test('a suspended Application does not poll', () => {
  assert.deepEqual(heardBy({ address: SHOP }, [{ source: { repoURL: SHOP }, suspend: true }]), []);
});
