import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { idKey } from '../../../../src/object/identity.ts';
import { Claims } from '../../../../src/reconcile/neighbours/claims.ts';
import { idOf } from '../../../support/changes.ts';

const keys = (...names: string[]): Set<string> => new Set(names.map((name) => idKey(idOf(name))));

test('the first claimant keeps an object, and the second gets it once it is released', () => {
  const claims = new Claims();
  assert.equal(claims.claim('c', idOf('x'), 'one'), 'one');
  assert.equal(claims.claim('c', idOf('x'), 'two'), 'one');
  assert.deepEqual(claims.wantedBy('c', idOf('x')), ['two']);
  assert.deepEqual(claims.keepOnly('c', 'one', keys()), ['two']);
  assert.equal(claims.ownerOf('c', idOf('x')), undefined);
  assert.equal(claims.claim('c', idOf('x'), 'two'), 'two');
  assert.deepEqual(claims.wantedBy('c', idOf('x')), []);
});

test('an object that is taken has one owner, and the former owner has to claim it again', () => {
  const claims = new Claims();
  claims.claim('c', idOf('x'), 'one');
  claims.claim('c', idOf('x'), 'two');
  claims.claim('c', idOf('x'), 'three');
  claims.take('c', idOf('x'), 'two');
  assert.equal(claims.ownerOf('c', idOf('x')), 'two');
  assert.deepEqual(claims.wantedBy('c', idOf('x')), ['three']);
  assert.deepEqual(claims.keepOnly('c', 'one', keys()), []);
  assert.equal(claims.claim('c', idOf('x'), 'one'), 'two');
  assert.deepEqual(claims.drop('two'), ['three', 'one']);
});

test('claims on objects of two clusters are independent', () => {
  const claims = new Claims();
  claims.claim('c1', idOf('x'), 'one');
  assert.equal(claims.claim('c2', idOf('x'), 'two'), 'two');
  claims.keepOnly('c2', 'one', keys());
  assert.equal(claims.ownerOf('c1', idOf('x')), 'one');
});

test('a claimant that no longer wants an object is forgotten', () => {
  const claims = new Claims();
  claims.claim('c', idOf('x'), 'one');
  claims.claim('c', idOf('x'), 'two');
  assert.deepEqual(claims.wantOnly('c', 'two', keys()), ['one']);
  assert.deepEqual(claims.wantedBy('c', idOf('x')), []);
});

test('an Application that is gone holds and wants nothing, and every Application that this concerns is returned', () => {
  const claims = new Claims();
  claims.claim('c', idOf('x'), 'one');
  claims.claim('c', idOf('y'), 'two');
  claims.claim('c', idOf('x'), 'two');
  claims.claim('c', idOf('y'), 'one');
  assert.deepEqual(claims.drop('one'), ['two']);
  assert.equal(claims.ownerOf('c', idOf('x')), undefined);
  assert.deepEqual(claims.wantedBy('c', idOf('y')), []);
});

test('an object has one owner, and no Application waits for a free object or for its own', () => {
  const names = ['x', 'y', 'z'];
  const applications = ['one', 'two', 'three'];
  const step = fc.record({
    action: fc.constantFrom('claim', 'keepOnly', 'wantOnly', 'drop'),
    application: fc.constantFrom(...applications),
    names: fc.subarray(names),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40, size: 'max' }), (steps) => {
      const claims = new Claims();
      for (const { action, application, names: some } of steps) {
        if (action === 'claim') for (const name of some) claims.claim('c', idOf(name), application);
        else if (action === 'drop') claims.drop(application);
        else claims[action]('c', application, keys(...some));
        for (const name of names) {
          const owner = claims.ownerOf('c', idOf(name));
          const waiting = claims.wantedBy('c', idOf(name));
          assert.ok(owner !== undefined || waiting.length === 0, 'somebody waits for what is free');
          assert.ok(owner === undefined || !waiting.includes(owner), 'an owner waits for its own');
        }
      }
    }),
  );
});

test('while the version of an Application is the same, it owns the same objects, and the same others want them', () => {
  const names = ['one', 'two', 'three'];
  const objects = ['x', 'y'].map((name) => idOf(name));
  const acts = fc.array(
    fc.record({
      act: fc.constantFrom('claim', 'take', 'keep nothing', 'want nothing', 'drop'),
      who: fc.constantFrom(...names),
      id: fc.constantFrom(...objects),
    }),
    { maxLength: 15, size: 'max' },
  );
  fc.assert(
    fc.property(acts, (list) => {
      const claims = new Claims();
      const seen = new Map<string, string>();
      for (const { act, who, id } of list) {
        if (act === 'claim') claims.claim('c', id, who);
        if (act === 'take') claims.take('c', id, who);
        if (act === 'keep nothing') claims.keepOnly('c', who, keys());
        if (act === 'want nothing') claims.wantOnly('c', who, keys());
        if (act === 'drop') claims.drop(who);
        for (const name of names) {
          const state = objects.map((each) => [claims.ownerOf('c', each), claims.wantedBy('c', each)] as const);
          const own = state.filter(([owner]) => owner === name);
          const at = `${name} ${claims.versionFor(name)}`;
          if (claims.versionFor(name) > 0) assert.equal(seen.get(at) ?? JSON.stringify(own), JSON.stringify(own), act);
          seen.set(at, JSON.stringify(own));
        }
      }
    }),
  );
});
