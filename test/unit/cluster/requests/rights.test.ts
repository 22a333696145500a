import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agentIdentity, serviceAccountIdentity } from '../../../../src/cluster/identity.ts';
import { createRights, mayWatchEverywhere } from '../../../../src/cluster/requests/rights.ts';
import type { HttpRequest } from '../../../../src/cluster/transport/transport.ts';
import { mapAt, stringAt, valueAt, type Value } from '../../../../src/object/value.ts';
import { createClock } from '../../../support/clock.ts';
import { deployments } from '../sample-kinds.ts';

const account = serviceAccountIdentity('shop', 'deployer');

/** A transport whose access reviews allow these verbs; any other verb gets this text as its answer. */
function reviewing(allowed: readonly string[], otherwise = '{"status":{"allowed":false}}') {
  const sent: HttpRequest[] = [];
  return {
    sent,
    send(request: HttpRequest) {
      sent.push(request);
      const verb = valueAt(JSON.parse(request.body ?? '') as Value, 'spec', 'resourceAttributes', 'verb');
      const text = allowed.includes(String(verb)) ? '{"status":{"allowed":true}}' : otherwise;
      return Promise.resolve({ status: 201, headers: {}, text });
    },
  };
}

test('a kind may be watched in all namespaces only if both list and watch are allowed', async () => {
  assert.equal(await mayWatchEverywhere(reviewing(['list', 'watch']), account, deployments), true);
  assert.equal(await mayWatchEverywhere(reviewing(['list']), account, deployments), false);
  assert.equal(await mayWatchEverywhere(reviewing(['watch']), account, deployments), false);
});

test('a review without a readable answer allows nothing', async () => {
  for (const text of ['', '<html>', '{"status":{"allowed":"true"}}']) {
    assert.equal(await mayWatchEverywhere(reviewing(['list'], text), account, deployments), false);
  }
});

test('a review is sent as the identity, for the kind in all namespaces', async () => {
  const transport = reviewing(['list', 'watch']);
  await mayWatchEverywhere(transport, account, deployments);
  assert.ok(transport.sent.every(({ identity }) => identity === account));
  const [review] = transport.sent.map(({ body }) => JSON.parse(body ?? '') as Value);
  assert.deepEqual(valueAt(review, 'spec'), {
    resourceAttributes: { verb: 'list', group: 'apps', version: 'v1', resource: 'deployments' },
  });
});

/** Answers every review with one status and text. */
function answering(status: number, text: string) {
  const bodies: Value[] = [];
  return {
    bodies,
    send({ body = '' }: HttpRequest) {
      bodies.push(JSON.parse(body) as Value);
      return Promise.resolve({ status, headers: {}, text });
    },
  };
}

const SHOP = { namespace: 'shop' };
const WEB = { namespace: 'shop', name: 'web' };

test('an account may write only if it may both create and patch', async () => {
  for (const [allowed, expected] of [
    [['create', 'patch'], 'all'],
    [['create'], 'none'],
    [['patch'], 'none'],
    [[], 'none'],
  ] as const) {
    const rights = createRights({ transport: reviewing(allowed), clock: createClock() });
    assert.equal(await rights.writableNames(account, deployments, SHOP), expected, allowed.join());
  }
});

test('a right is asked about once for each account, verb, kind and namespace, and again after a minute', async () => {
  const [transport, clock] = [reviewing(['create', 'patch']), createClock()];
  const rights = createRights({ transport, clock });
  const ask = (namespace: string, identity = account): Promise<string> =>
    rights.writableNames(identity, deployments, { namespace });
  await Promise.all([ask('shop'), ask('shop')]);
  await ask('shop');
  assert.equal(transport.sent.length, 2, 'one review for each verb');
  await ask('other');
  await ask('shop', serviceAccountIdentity('shop', 'builder'));
  assert.equal(transport.sent.length, 6);
  clock.nowMs += 60_000;
  await ask('shop');
  assert.equal(transport.sent.length, 8);
});

test('a review of rights names the namespace of a namespaced kind, and none of another', async () => {
  for (const [kind, namespace] of [
    [deployments, 'shop'],
    [{ ...deployments, isNamespaced: false }, undefined],
  ] as const) {
    const transport = answering(201, '{"status":{"allowed":true}}');
    await createRights({ transport, clock: createClock() }).writableNames(account, kind, SHOP);
    const places = transport.bodies.map((body) => valueAt(body, 'spec', 'resourceAttributes', 'namespace'));
    assert.deepEqual(places, [namespace, namespace]);
  }
});

test('a review that is refused shows no right, and one without an answer ends the pass and is asked again', async () => {
  for (const status of [401, 403, 404, 405]) {
    const rights = createRights({ transport: answering(status, '{}'), clock: createClock() });
    assert.equal(await rights.mayWriteName(account, deployments, WEB), false, String(status));
    assert.equal(await rights.writableNames(account, deployments, SHOP), 'some', 'no list of rules denies it');
  }
  for (const status of [0, 429, 500, 503]) {
    const transport = answering(status, '');
    const rights = createRights({ transport, clock: createClock() });
    for (const _ of [1, 2]) {
      await assert.rejects(rights.writableNames(account, deployments, SHOP), /rights of an account/);
    }
    assert.equal(transport.bodies.length, 2, String(status));
  }
});

interface NamedRights {
  /** The names that a role allows both verbs on. */
  readonly names: readonly string[];
  readonly rules: Value;
  readonly rulesStatus?: number;
}

/** An API server whose roles are limited to single names; `asked` is `verb name` or the namespace of the rules. */
function limiting({ names, rules, rulesStatus = 201 }: NamedRights) {
  const asked: string[] = [];
  return {
    asked,
    send({ body = '' }: HttpRequest) {
      const review = JSON.parse(body) as Value;
      const attributes = mapAt(review, 'spec', 'resourceAttributes');
      if (stringAt(review, 'kind') === 'SelfSubjectRulesReview') {
        asked.push(`rules of ${stringAt(review, 'spec', 'namespace')}`);
        return Promise.resolve({ status: rulesStatus, headers: {}, text: JSON.stringify({ status: rules }) });
      }
      asked.push([attributes['verb'], attributes['name'] ?? '*'].join(' '));
      const allowed = names.includes(String(attributes['name']));
      return Promise.resolve({ status: 201, headers: {}, text: JSON.stringify({ status: { allowed } }) });
    },
  };
}

const ruleOf = (...resourceNames: readonly string[]): Value => ({
  verbs: ['*'],
  apiGroups: ['apps'],
  resources: ['deployments'],
  resourceNames: [...resourceNames],
});

test('a role that is limited to one name gives a say over the object of that name alone', async () => {
  const transport = limiting({ names: ['web'], rules: { resourceRules: [ruleOf('web')] } });
  const rights = createRights({ transport, clock: createClock() });
  assert.equal(await rights.writableNames(account, deployments, SHOP), 'some');
  assert.equal(await rights.mayWriteName(account, deployments, WEB), true);
  assert.equal(await rights.mayWriteName(account, deployments, { ...WEB, name: 'other' }), false);
  assert.deepEqual(transport.asked, ['create *', 'rules of shop', 'create web', 'patch web']);
});

test('a listed name is no proof: the review of the name decides', async () => {
  const transport = limiting({ names: [], rules: { resourceRules: [ruleOf('web')] } });
  const rights = createRights({ transport, clock: createClock() });
  assert.equal(await rights.mayWriteName(account, deployments, WEB), false);
});

test('each name is reviewed where the rules are incomplete, too many, refused or without an answer', async () => {
  const many = Array.from({ length: 201 }, (_, index) => `n${index}`);
  for (const options of [
    { rules: { incomplete: true, resourceRules: [] } },
    { rules: { resourceRules: [ruleOf(...many)] } },
    { rules: {}, rulesStatus: 403 },
    { rules: null },
  ]) {
    const transport = limiting({ names: ['web'], ...options });
    const rights = createRights({ transport, clock: createClock() });
    assert.equal(await rights.writableNames(account, deployments, SHOP), 'some');
    assert.equal(await rights.mayWriteName(account, deployments, WEB), true);
  }
});

test('thousands of objects that an account may not write cost few reviews', async () => {
  const lists: readonly { readonly rules: Value; readonly most: number }[] = [
    { rules: { resourceRules: [ruleOf()] }, most: 1 },
    { rules: { incomplete: true }, most: 101 },
  ];
  for (const { rules, most } of lists) {
    const transport = limiting({ names: ['n99', 'n100'], rules });
    const rights = createRights({ transport, clock: createClock() });
    const able: string[] = [];
    for (let index = 0; index < 5_000; index++) {
      const name = `n${index}`;
      if (await rights.mayWriteName(account, deployments, { ...SHOP, name })) able.push(name);
    }
    // A review of the hundredth name has two verbs.
    assert.ok(transport.asked.length <= most + 1, String(transport.asked.length));
    assert.deepEqual(able, most === 1 ? [] : ['n99']);
  }
});

test('the names of a cluster-scoped kind are looked for in the rules of the namespace of the account', async () => {
  const kind = { ...deployments, isNamespaced: false };
  for (const [identity, expected] of [
    [account, 'rules of shop'],
    [agentIdentity, 'rules of default'],
  ] as const) {
    const transport = limiting({ names: [], rules: { resourceRules: [] } });
    const rights = createRights({ transport, clock: createClock() });
    assert.equal(await rights.writableNames(identity, kind, { namespace: '' }), 'none');
    assert.deepEqual(transport.asked, ['create *', expected]);
  }
});
