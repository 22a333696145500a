import assert from 'node:assert/strict';
import { test } from 'node:test';
import { identityKey } from '../../../../src/cluster/identity.ts';
import { idKey, type ObjectId } from '../../../../src/object/identity.ts';
import {
  mayReceive,
  reviewSay,
  reviewStanding,
  type StandingOptions,
  type StandingPair,
} from '../../../../src/reconcile/decide/standing.ts';
import { createNeighbourhood, type StoredOptions } from '../../../support/applications.ts';
import { idOf } from '../../../support/changes.ts';
import { kindsOf } from '../../../support/reading.ts';

const [HERE, THERE, WIDE] = [
  idOf('a', { namespace: 'apps' }),
  idOf('a', { namespace: 'shop' }),
  idOf('a', { kind: 'Namespace', namespace: '' }),
];

interface Script {
  readonly own?: StoredOptions;
  readonly allowCrossNamespace?: boolean;
  readonly defaultServiceAccount?: string;
  /** Called while a review is under way. */
  readonly onReview?: () => void;
  /** The only names that may be written. */
  readonly names?: readonly string[];
}

/** `apps/shop` may write everything, according to its reviews. */
function scene({ own, allowCrossNamespace = false, defaultServiceAccount, onReview, names }: Script = {}) {
  const { add, neighbours } = createNeighbourhood();
  add(own);
  const reviews: string[] = [];
  const target: StandingOptions['target'] = {
    kinds: () => Promise.resolve(kindsOf(HERE, WIDE)),
    writableNames(identity, { kind }, { namespace }) {
      reviews.push(`${identityKey(identity)} ${kind} ${namespace}`);
      onReview?.();
      return Promise.resolve(names === undefined ? 'all' : 'some');
    },
    mayWriteName(_identity, _kind, { name }) {
      reviews.push(name);
      return Promise.resolve(names?.includes(name) === true);
    },
  };
  const settings = { allowCrossNamespace, defaultServiceAccount };
  const options = { neighbours, target, settings };
  const review = (pairsOf: () => readonly StandingPair[]) => reviewStanding(pairsOf, options);
  const say = (asked: readonly StandingPair[]) => reviewSay(asked, options);
  return { review, reviews, say };
}

const pairs = (...ids: readonly ObjectId[]): readonly StandingPair[] => ids.map((id) => ({ key: 'apps/shop', id }));

const RIGHTS: readonly (readonly [string, Script, readonly ObjectId[]])[] = [
  ['of an account', { own: { spec: { serviceAccountName: 'deployer' } } }, [HERE, THERE, WIDE]],
  ['of the default account', { defaultServiceAccount: 'deployer' }, [HERE, THERE, WIDE]],
  ['of the agent in its own namespace', {}, [HERE]],
  ['of the agent everywhere', { allowCrossNamespace: true }, [HERE, THERE, WIDE]],
  ['of a spec that cannot be read', { own: { spec: { sync: { mode: 'sometimes' } } } }, []],
];
for (const [whose, script, expected] of RIGHTS) {
  test(`the rights ${whose} are reviewed, and nothing out of its reach`, async () => {
    const { review, reviews } = scene(script);
    const standing = await review(() => pairs(HERE, THERE, WIDE));
    const able = [HERE, THERE, WIDE].filter((id) => standing('apps/shop', id));
    assert.deepEqual(able.map(idKey), expected.map(idKey));
    assert.equal(reviews.length, expected.length);
  });
}

test('where rights are limited to single names, each object is reviewed, and each place once', async () => {
  const { review, reviews, say } = scene({ names: ['a'] });
  const other = idOf('other', { namespace: 'apps' });
  const standing = await review(() => pairs(HERE, other));
  assert.equal(standing('apps/shop', HERE), true);
  assert.equal(standing('apps/shop', other), false);
  assert.equal(standing('apps/shop', idOf('later', { namespace: 'apps' })), undefined);
  assert.deepEqual(reviews, ['agent ConfigMap apps', 'a', 'other']);
  const maySay = await say(pairs(HERE, THERE));
  assert.equal(maySay('apps/shop', other), true, 'a role may name it');
  assert.equal(maySay('apps/shop', THERE), false, 'it is out of reach');
  assert.equal(maySay('apps/gone', HERE), false);
});

test('nothing is reviewed without a pair, for an unknown Application, or for a kind that is not served', async () => {
  const { review, reviews } = scene({ allowCrossNamespace: true });
  const unserved = idOf('a', { group: 'example.com', kind: 'Widget' });
  await review(() => []);
  const standing = await review(() => [{ key: 'apps/gone', id: HERE }, ...pairs(unserved)]);
  assert.equal(standing('apps/gone', HERE), false);
  assert.equal(standing('apps/shop', unserved), false);
  assert.deepEqual(reviews, []);
});

test('a pair that comes while a review is under way is reviewed as well, and one that comes later is unknown', async () => {
  const wanted = [...pairs(HERE)];
  const { review } = scene({ allowCrossNamespace: true, onReview: () => void wanted.push(...pairs(THERE)) });
  const standing = await review(() => wanted);
  assert.equal(standing('apps/shop', THERE), true);
  assert.equal(standing('apps/shop', WIDE), undefined);
});

test('only an object that neither gives nor bounds rights goes over to another namespace', () => {
  const binding = idOf('b', { group: 'rbac.authorization.k8s.io', kind: 'RoleBinding' });
  for (const [key, id, expected] of [
    ['team/app', HERE, true],
    ['team/app', binding, false],
    ['apps/app', binding, true],
  ] as const) {
    assert.equal(
      mayReceive({ key, id }, 'apps/shop', () => true),
      expected,
    );
    assert.equal(
      mayReceive({ key, id }, 'apps/shop', () => false),
      false,
    );
  }
});
