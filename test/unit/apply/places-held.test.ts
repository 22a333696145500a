/** placesHeld: which objects that left Git are pruned before a refused object is applied again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Outcome, ChangeResult } from '../../../src/apply/applied.ts';
import { placesHeld } from '../../../src/apply/places-held.ts';
import type { Refusal } from '../../../src/cluster/answers.ts';
import type { Change } from '../../../src/diff/changes.ts';
import { idKey, type ObjectId } from '../../../src/object/identity.ts';
import type { ValueMap } from '../../../src/object/value.ts';
import { changeOf, idOf, leftChange, liveOf, refusedWith } from '../../support/changes.ts';

const service = (name: string, more: Partial<ObjectId> = {}): ObjectId => idOf(name, { kind: 'Service', ...more });
const ports = (nodePort: number): ValueMap => ({ ports: [{ port: 80 }, { port: 81, nodePort }] });

function left(id: ObjectId, spec: ValueMap = {}): Change {
  const live = liveOf({ id });
  return { ...leftChange('prune', id), live: { ...live, body: { ...live.body, spec } } };
}

function refused(id: ObjectId, refusal: Refusal, spec: ValueMap = {}): ChangeResult {
  const change = changeOf('create', { id });
  const desired = change.desired && { ...change.desired, body: { ...change.desired.body, spec } };
  return { change: { ...change, ...(desired && { desired }) }, outcome: 'failed', refusal };
}

const taken = (more: Partial<Refusal> = {}): Refusal => refusedWith('Taken', more).refusal;
const portTaken = taken({ fields: ['spec.ports[0].nodePort'] });

function holdersOf(results: readonly ChangeResult[], candidates: readonly Change[]): string[] {
  const applied = new Map(results.map((result) => [idKey(result.change.id), result]));
  return [...placesHeld(applied, candidates).values()].flat().map(({ id }) => `${id.kind} ${id.namespace}/${id.name}`);
}

test('the object with the same value in the named field holds the place, in any namespace', () => {
  const result = refused(service('edge'), portTaken, ports(30480));
  const candidates = [
    left(service('same', { namespace: 'else' }), ports(30480)),
    left(service('other'), ports(30481)),
    left(service('none'), ports(0)),
    left(idOf('edge-old'), ports(30480)),
  ];
  assert.deepEqual(holdersOf([result], candidates), ['Service else/same']);
});

test('an address is compared although the server names the field of the list', () => {
  const result = refused(service('edge'), taken({ fields: ['spec.clusterIPs'] }), { clusterIP: '10.0.0.7' });
  const address = (ip: string): ValueMap => ({ clusterIP: ip, clusterIPs: [ip] });
  const candidates = [left(service('a'), address('10.0.0.7')), left(service('b'), address('None'))];
  assert.deepEqual(holdersOf([result], candidates), ['Service shop/a']);
});

test('the object that the message names holds the place', () => {
  const message = 'host "a.example" is already defined in ingress shop/old';
  const candidates = [left(service('old')), left(service('older'))];
  assert.deepEqual(holdersOf([refused(service('new'), taken({ message }))], candidates), ['Service shop/old']);
});

test('objects of the same kind and namespace hold the place of a quota', () => {
  const candidates = [left(service('a')), left(service('b', { namespace: 'else' })), left(idOf('c'))];
  const result = refused(service('new'), refusedWith('QuotaExceeded').refusal);
  assert.deepEqual(holdersOf([result], candidates), ['Service shop/a']);
});

test('nothing yields if something failed for another reason, conflicts, or is being recreated', () => {
  const result = refused(service('edge'), portTaken, ports(30480));
  const candidates = [left(service('edge-old'), ports(30480))];
  assert.equal(holdersOf([result], candidates).length, 1);
  const forbidden = refused(idOf('b'), refusedWith('Forbidden').refusal);
  assert.deepEqual(holdersOf([result, forbidden], candidates), []);
  for (const outcome of ['conflict', 'recreating'] satisfies Outcome[]) {
    assert.deepEqual(holdersOf([result, { change: changeOf('update', { id: idOf('b') }), outcome }], candidates), []);
  }
});
