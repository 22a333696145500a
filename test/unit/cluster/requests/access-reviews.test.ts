/** TokenReview and SubjectAccessReview: what is sent, how answers are read, and how long they are believed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { agentIdentity } from '../../../../src/cluster/identity.ts';
import type { User } from '../../../../src/cluster/ports.ts';
import { createAccessReviews } from '../../../../src/cluster/requests/access-reviews.ts';
import type { HttpRequest } from '../../../../src/cluster/transport/transport.ts';
import { valueAt, type Value } from '../../../../src/object/value.ts';
import { createClock } from '../../../support/clock.ts';

const USER: User = { username: 'ann', uid: '7', groups: ['dev', 'ops'], extra: { scope: ['a', 'b'] } };
const REVIEWED = { authenticated: true, user: { ...USER } };
const QUESTION = { verb: 'get', group: 'tautline.dev', resource: 'applications', namespace: 'shop', name: 'web' };

/** Answers every review with this status of the object. */
function reviewsWith(answer: () => { readonly status?: number; readonly object?: unknown }) {
  const sent: HttpRequest[] = [];
  const clock = createClock();
  const transport = {
    send(request: HttpRequest) {
      sent.push(request);
      const { status = 201, object } = answer();
      return Promise.resolve({ status, headers: {}, text: JSON.stringify({ status: object }) });
    },
  };
  const bodies = (): Value[] => sent.map(({ body }) => JSON.parse(body ?? '') as Value);
  return { reviews: createAccessReviews({ transport, clock }), sent, bodies, clock };
}

test('a token is reviewed as the agent, and the user is read with groups and extra values', async () => {
  const { reviews, sent, bodies } = reviewsWith(() => ({ object: REVIEWED }));
  assert.deepEqual(await reviews.authenticate('secret-token'), USER);
  assert.equal(sent[0]?.path, '/apis/authentication.k8s.io/v1/tokenreviews');
  assert.equal(sent[0]?.identity, agentIdentity);
  assert.deepEqual(valueAt(bodies()[0], 'spec'), { token: 'secret-token' });
});

test('an answer that does not say authenticated: true names no user', async () => {
  const cases = [
    undefined,
    {},
    { authenticated: false, user: USER },
    { authenticated: 'true', user: USER },
    { user: USER },
    { authenticated: true },
    { authenticated: true, user: { username: 7 } },
    { authenticated: false, error: 'expired' },
  ];
  for (const object of cases) {
    const { reviews } = reviewsWith(() => ({ object }));
    assert.equal(await reviews.authenticate('t'), undefined, JSON.stringify(object));
  }
});

test('a right is reviewed for the whole user, for a kind of objects or for a path', async () => {
  const { reviews, sent, bodies } = reviewsWith(() => ({ object: { allowed: true } }));
  assert.equal(await reviews.authorize(USER, QUESTION), true);
  assert.equal(await reviews.authorize(USER, { verb: 'get', path: '/metrics' }), true);
  assert.equal(sent[0]?.path, '/apis/authorization.k8s.io/v1/subjectaccessreviews');
  const subject = { user: 'ann', uid: '7', groups: ['dev', 'ops'], extra: { scope: ['a', 'b'] } };
  assert.deepEqual(
    bodies().map((body) => valueAt(body, 'spec')),
    [
      { ...subject, resourceAttributes: QUESTION },
      { ...subject, nonResourceAttributes: { path: '/metrics', verb: 'get' } },
    ],
  );
});

test('only allowed: true allows', async () => {
  for (const object of [undefined, {}, { allowed: false }, { allowed: 'true' }, { allowed: false, denied: true }]) {
    const { reviews } = reviewsWith(() => ({ object }));
    assert.equal(await reviews.authorize(USER, QUESTION), false, JSON.stringify(object));
  }
});

test('a result is believed for a minute and then asked for again', async () => {
  let allowed = true;
  const { reviews, sent, clock } = reviewsWith(() => ({ object: { ...REVIEWED, allowed } }));
  const ask = async () => [await reviews.authorize(USER, QUESTION), (await reviews.authenticate('t')) !== undefined];
  assert.deepEqual([await ask(), await ask(), sent.length], [[true, true], [true, true], 2]);
  allowed = false;
  clock.nowMs += 59_999;
  assert.deepEqual([await ask(), sent.length], [[true, true], 2]);
  clock.nowMs += 1;
  assert.deepEqual([await ask(), sent.length], [[false, true], 4]);
});

test('no two users and no two questions share a result', async () => {
  const text = fc.constantFrom('a', 'b', 'a b', '');
  const user = fc.record({
    username: text,
    uid: text,
    groups: fc.array(text, { maxLength: 2 }),
    extra: fc.dictionary(text, fc.array(text, { maxLength: 2 }), { maxKeys: 2 }),
  });
  const question = fc.record({ verb: text, group: text, resource: text, namespace: text });
  await fc.assert(
    fc.asyncProperty(user, user, question, question, async (one, other, first, second) => {
      const { reviews, sent } = reviewsWith(() => ({ object: { allowed: true } }));
      await reviews.authorize(one, first);
      await reviews.authorize(other, second);
      const isSame = JSON.stringify([one, first]) === JSON.stringify([other, second]);
      if (!isSame && sent.length === 1) assert.deepEqual([one, first], [other, second]);
      if (isSame) assert.equal(sent.length, 1);
    }),
  );
});

test('without an answer nothing is allowed, nothing is kept, and the error tells what the agent may not do', async () => {
  let status = 403;
  const { reviews, sent } = reviewsWith(() => ({ status, object: REVIEWED }));
  for (const failed of [403, 429, 500, 503]) {
    status = failed;
    await assert.rejects(reviews.authenticate('t'), { name: 'StageError', message: /^access cannot be reviewed: / });
    await assert.rejects(reviews.authorize(USER, QUESTION), { name: 'StageError' });
  }
  assert.equal(sent.length, 8);
  status = 201;
  assert.deepEqual(await reviews.authenticate('t'), USER);
});
