/** The objects that a deleted Application deletes last, and circles of Applications that hold each other. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { agentIdentity, serviceAccountIdentity } from '../../../../src/cluster/identity.ts';
import type { LiveEntry } from '../../../../src/cluster/live.ts';
import { formatId, idKey, type ObjectId } from '../../../../src/object/identity.ts';
import type { ValueMap } from '../../../../src/object/value.ts';
import { keysWaitingFor, stagesOf, type Holder } from '../../../../src/reconcile/deletion/last-objects.ts';

const idOf = (kind: string, namespace: string, name: string, group = ''): ObjectId => ({
  group,
  kind,
  namespace,
  name,
});
const application = (key: string): ObjectId => {
  const [namespace = '', name = ''] = key.split('/');
  return idOf('Application', namespace, name, 'tautline.dev');
};
const namespaceOf = (key: string): ObjectId => idOf('Namespace', '', key.split('/')[0] ?? '');
const rbac = (kind: string, name: string): ObjectId =>
  idOf(kind, kind.startsWith('Cluster') ? '' : 't', name, 'rbac.authorization.k8s.io');

function holder(key: string, ids: readonly ObjectId[]): Holder {
  const keys = new Set(ids.map(idKey));
  return { key, holds: (id) => keys.has(idKey(id)) };
}

function present(id: ObjectId, more: ValueMap = {}): [string, LiveEntry] {
  const body = { apiVersion: 'v1', kind: id.kind, metadata: { name: id.name }, ...more };
  const object = { id, apiVersion: 'v1', uid: 'u', resourceVersion: '1', body };
  return [idKey(id), { state: 'present', object }];
}

test('an Application that holds nothing of others has only itself waiting for it', () => {
  const others = [holder('t/me', []), holder('t/other', [idOf('ConfigMap', 't', 'c')])];
  assert.deepEqual([...keysWaitingFor('t/me', others)], ['t/me']);
});

test('every Application from which this one is reached by what it holds waits for it', () => {
  const KEYS = ['a/1', 'a/2', 'b/1', 'b/2', 'c/1'];
  const edge = fc.record({
    from: fc.constantFrom(...KEYS),
    to: fc.constantFrom(...KEYS),
    isNamespace: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(edge, { maxLength: 8 }), (edges) => {
      const heldBy = (key: string): ObjectId[] =>
        edges
          .filter(({ from }) => from === key)
          .map(({ to, isNamespace }) => (isNamespace ? namespaceOf(to) : application(to)));
      const waiting = keysWaitingFor(
        'a/1',
        KEYS.map((key) => holder(key, heldBy(key))),
      );
      // The other direction: an Application waits for those that it holds, and for those in Namespaces that it holds.
      const waitsFor = (key: string): string[] =>
        edges
          .filter(({ from }) => from === key)
          .flatMap(({ to, isNamespace }) =>
            isNamespace ? KEYS.filter((other) => other.split('/')[0] === to.split('/')[0]) : [to],
          );
      const reaches = (key: string): boolean => {
        const seen = new Set([key]);
        for (const at of seen) for (const next of waitsFor(at)) seen.add(next);
        return seen.has('a/1');
      };
      assert.deepEqual([...waiting].sort(), KEYS.filter(reaches));
    }),
  );
});

test("an Application's own object and Namespace come after the rest, and its account and rights at the very end", () => {
  const account = idOf('ServiceAccount', 't', 'deployer');
  const [binding, role] = [rbac('RoleBinding', 'deployer'), rbac('Role', 'deployer')];
  const [otherBinding, otherRole] = [rbac('RoleBinding', 'web'), rbac('Role', 'web')];
  const otherAccount = idOf('ServiceAccount', 't', 'web');
  const unread = rbac('ClusterRoleBinding', 'unread');
  const config = idOf('ConfigMap', 't', 'c');
  const own = [application('t/me'), namespaceOf('t/me')];
  const ids = [binding, role, account, otherBinding, otherRole, otherAccount, unread, config, ...own];
  const subjects = (name: string) => [{ kind: 'ServiceAccount', namespace: 't', name }];
  const roleRef = (name: string) => ({ kind: 'Role', name });
  const live = new Map([
    present(binding, { subjects: subjects('deployer'), roleRef: roleRef('deployer') }),
    present(role),
    present(account),
    present(otherBinding, { subjects: subjects('web'), roleRef: roleRef('web') }),
    present(otherRole),
    present(config),
  ]);
  const identity = serviceAccountIdentity('t', 'deployer');
  const stages = stagesOf({ ids, live, identity, waiting: new Set(['t/me']) });
  assert.deepEqual(stages, {
    first: [otherBinding, otherRole, otherAccount, config],
    waiting: own,
    account: [account],
    rights: [binding, role, unread],
  });
  const agent = stagesOf({ ids, live, identity: agentIdentity, waiting: new Set(['t/me']) });
  assert.deepEqual(agent.waiting, own);
  assert.deepEqual([agent.account, agent.rights], [[], []]);
});

for (const subject of [
  { kind: 'User', name: 'system:serviceaccount:t:deployer' },
  { kind: 'Group', name: 'system:serviceaccounts' },
  { kind: 'Group', name: 'system:serviceaccounts:t' },
  { kind: 'ServiceAccount', namespace: 't', name: 'deployer' },
]) {
  test(`a binding of ${subject.kind} ${subject.name} gives the account its rights`, () => {
    const binding = rbac('ClusterRoleBinding', 'all');
    const role = rbac('ClusterRole', 'all');
    const roleRef = { kind: 'ClusterRole', name: 'all' };
    const live = new Map([present(binding, { subjects: [subject], roleRef }), present(role)]);
    const identity = serviceAccountIdentity('t', 'deployer');
    const { first, rights } = stagesOf({ ids: [binding, role], live, identity, waiting: new Set(['t/me']) });
    assert.deepEqual(first.map(formatId), []);
    assert.deepEqual(rights, [binding, role]);
  });
}
