import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  agentIdentity,
  identityHeaders,
  identityKey,
  isServiceAccountName,
  serviceAccountIdentity,
  type Identity,
} from '../../../src/cluster/identity.ts';

const HOSTILE = [
  '',
  ' ',
  '\t',
  'system:admin',
  'system:masters',
  '../x',
  'a/b',
  'A',
  '-a',
  'a-',
  'a..b',
  'a\r\nImpersonate-Group: system:masters',
  'a\n',
  'a\u0000',
  'ä',
  'a'.repeat(254),
];

for (const name of HOSTILE) {
  test(`${JSON.stringify(name).slice(0, 40)} is not a name of an account and makes no header`, () => {
    assert.equal(isServiceAccountName(name), false);
    assert.throws(() => serviceAccountIdentity('shop', name), RangeError);
    assert.throws(() => serviceAccountIdentity(name, 'deployer'), RangeError);
    const forged: Identity = { type: 'serviceAccount', namespace: 'shop', name };
    assert.throws(() => identityHeaders(forged), RangeError);
    assert.throws(() => identityHeaders({ ...forged, namespace: name, name: 'deployer' }), RangeError);
  });
}

test('an account has exactly one header, and the agent has none', () => {
  const headers = identityHeaders(serviceAccountIdentity('shop', 'ci.deployer'));
  assert.deepEqual(headers, { 'Impersonate-User': 'system:serviceaccount:shop:ci.deployer' });
  assert.deepEqual(identityHeaders(agentIdentity), {});
});

test('different identities have different keys', () => {
  const keys = [
    agentIdentity,
    serviceAccountIdentity('agent', 'agent'),
    serviceAccountIdentity('a', 'b'),
    serviceAccountIdentity('a-b', 'b'),
    serviceAccountIdentity('b', 'a'),
  ].map(identityKey);
  assert.equal(new Set(keys).size, keys.length);
});
