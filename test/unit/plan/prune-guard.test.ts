/** The prune guard: which prunes wait for a confirmation, and which confirmation is about them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestPrune, type LeftObject } from '../../../src/application/prune-digest.ts';
import type { DesiredObject } from '../../../src/bind/desired.ts';
import type { Change } from '../../../src/diff/changes.ts';
import { idKey, type ObjectId } from '../../../src/object/identity.ts';
import {
  judgeConfirmation,
  reasonToHold,
  type Behind,
  type ConfirmationQuestion,
} from '../../../src/plan/prune-guard.ts';

const GUARD = { maxShare: 0.3, maxObjects: 10 };

const idOf = (name: string, kind = 'ConfigMap', group = ''): ObjectId => ({ group, kind, namespace: 'a', name });
const idsOf = (count: number): ObjectId[] => Array.from({ length: count }, (_, n) => idOf(`m${n}`));
const leftOf = (ids: readonly ObjectId[]): Change[] =>
  ids.map((id) => ({ type: 'prune', id, kind: undefined, fields: [] }));
const desiredOf = (ids: readonly ObjectId[]): Change[] =>
  ids.map((id) => ({ type: 'create', id, kind: undefined, fields: [], desired: { id } as DesiredObject }));

const CHILD = idOf('child', 'Application', 'tautline.dev');
const childWith = (ids: readonly ObjectId[], uncounted?: string): ReadonlyMap<string, Behind> =>
  new Map([[idKey(CHILD), { ids, ...(uncounted === undefined ? {} : { uncounted }) }]]);

/** Names as kustomize generates them: the hash differs with the content. */
const hashed = (content: string): ObjectId[] => idsOf(12).map((id) => ({ ...id, name: `${id.name}-${content}` }));

interface Case {
  readonly left: readonly ObjectId[];
  readonly before: number;
  readonly desired?: readonly ObjectId[];
  readonly behind?: ReadonlyMap<string, Behind>;
}

const CASES: readonly [name: string, question: Case, reason: RegExp | undefined][] = [
  ['eleven of 36 objects', { left: idsOf(11), before: 36 }, /^pruning 11 of 36 objects \(ConfigMap a\/m0, .* 8 more\)/],
  ['eleven of 37 objects', { left: idsOf(11), before: 37 }, undefined],
  ['ten of ten objects', { left: idsOf(10), before: 10 }, undefined],
  ['more objects than there were before', { left: idsOf(12), before: 2 }, /^pruning 12 objects, of 2 before, \(/],
  ['a claim', { left: [idOf('db', 'PersistentVolumeClaim')], before: 100 }, /PersistentVolumeClaim a\/db would delete/],
  [
    'generated objects with another hash',
    { left: hashed('h5dk2mgtf9'), before: 13, desired: hashed('tt6bfc2g4m') },
    undefined,
  ],
  [
    'generated objects that no longer have a hash',
    { left: hashed('h5dk2mgtf9'), before: 13, desired: idsOf(12) },
    undefined,
  ],
  [
    'generated objects of which one has no successor',
    { left: hashed('h5dk2mgtf9'), before: 13, desired: hashed('tt6bfc2g4m').slice(1) },
    undefined,
  ],
  [
    'objects whose names only look generated',
    { left: hashed('production'), before: 13, desired: hashed('developmnt') },
    /^pruning 12 of 13/,
  ],
  [
    'generated objects of another namespace',
    {
      left: hashed('h5dk2mgtf9'),
      before: 13,
      desired: hashed('tt6bfc2g4m').map((id) => ({ ...id, namespace: 'b' })),
    },
    /^pruning 12 of 13/,
  ],
  [
    'twelve generated objects with one successor',
    {
      left: Array.from({ length: 9 }, (_, n) => idOf(`m-${'bcdfghkmt'[n]}5dk2mgtf9`)).concat(idsOf(3)),
      before: 13,
      desired: [idOf('m-tt6bfc2g4m')],
    },
    /^pruning 11 of 13/,
  ],
  [
    'a claim whose name ends in a hash',
    {
      left: [idOf('db-h5dk2mgtf9', 'PersistentVolumeClaim')],
      before: 9,
      desired: [idOf('db-tt6bfc2g4m', 'PersistentVolumeClaim')],
    },
    /would delete everything/,
  ],
  ['an Application that deletes nothing', { left: [CHILD], before: 2 }, undefined],
  ['an Application with few objects', { left: [CHILD], before: 2, behind: childWith(idsOf(9)) }, undefined],
  [
    'an Application with many objects',
    { left: [CHILD], before: 2, behind: childWith(idsOf(60)) },
    /^pruning 1 of 2 objects \(Application a\/child\), and 60 objects of Application a\/child, needs/,
  ],
  [
    'an Application with a Namespace and a claim',
    {
      left: [CHILD],
      before: 100,
      behind: childWith([...idsOf(2), idOf('n', 'Namespace'), idOf('db', 'PersistentVolumeClaim')]),
    },
    /^pruning Application a\/child \(4 objects, with Namespace a\/n, PersistentVolumeClaim a\/db\) would delete/,
  ],
  [
    'an Application whose inventory cannot be read',
    { left: [CHILD], before: 100, behind: childWith([], 'its inventory is damaged') },
    /^pruning Application a\/child needs a confirmation, since its inventory is damaged/,
  ],
];

for (const [name, { left, before, desired = [], behind = new Map() }, reason] of CASES) {
  test(`the prune of ${name} is ${reason ? 'held' : 'not held'}`, () => {
    const changes = [...leftOf(left), ...desiredOf(desired)];
    const held = reasonToHold({ left: leftOf(left), changes, objectsBefore: before, guard: GUARD, behind });
    if (reason) assert.match(held ?? 'not held', reason);
    else assert.equal(held, undefined);
  });
}

const SET = {
  commit: '1'.repeat(40),
  generation: 3,
  left: idsOf(2).map((id): LeftObject => ({ id, behind: id.name === 'm0' ? [idOf('behind')] : [] })),
};
const bare = (left: readonly LeftObject[]): LeftObject[] => left.map(({ id }) => ({ id, behind: [] }));
const shownOf = (prune: typeof SET, confirmedBy?: string): ConfirmationQuestion['shown'] => ({
  digest: digestPrune(prune),
  objects: prune.left.length,
  revision: 'main',
  ...(confirmedBy === undefined ? {} : { confirmedBy }),
});

const QUESTION: ConfirmationQuestion = {
  shown: shownOf(SET),
  requestId: 'one',
  digest: undefined,
  isUnderWay: false,
  prune: SET,
  isHeld: true,
};

const JUDGEMENTS: readonly [name: string, question: Partial<ConfirmationQuestion>, judgement: RegExp][] = [
  ['of the prune that status shows', {}, /^confirmed/],
  ['with its digest', { digest: digestPrune(SET) }, /^confirmed/],
  ['in another order of objects', { prune: { ...SET, left: SET.left.toReversed() } }, /^confirmed/],
  ['with another digest', { digest: 'x' }, /^refused .* not that of the held prune, which is /],
  ['where status shows nothing', { shown: undefined }, /^refused .*no prune is held/],
  ['of fewer objects', { prune: { ...SET, left: SET.left.slice(1) } }, /^refused .*other objects/],
  [
    'of more objects',
    { prune: { ...SET, left: [...SET.left, { id: CHILD, behind: [] }] } },
    /^refused .*other objects/,
  ],
  ['while an Application holds other objects', { prune: { ...SET, left: bare(SET.left) } }, /^refused .*other objects/],
  ['at another commit', { prune: { ...SET, commit: '2'.repeat(40) } }, /^refused .*other objects/],
  ['at another generation', { prune: { ...SET, generation: 4 } }, /^refused .*other objects/],
  ['where nothing is left', { prune: { ...SET, left: [] }, isHeld: false }, /^refused .*no prune is held/],
  ['that is carried out', { shown: shownOf({ ...SET, left: bare(SET.left) }, 'one'), isUnderWay: true }, /^confirmed/],
  ['that another request began', { shown: shownOf({ ...SET, left: bare(SET.left) }, 'other') }, /^refused/],
  [
    'that is carried out, and more objects left',
    {
      shown: shownOf({ ...SET, left: bare(SET.left) }, 'one'),
      prune: { ...SET, left: [...SET.left, { id: CHILD, behind: [] }] },
      isUnderWay: true,
    },
    /^none/,
  ],
  ['whose prune is complete', { shown: undefined, isUnderWay: true, isHeld: false }, /^none/],
];

for (const [name, more, expected] of JUDGEMENTS) {
  test(`a confirmation ${name} is judged as ${expected.source.slice(1).split(' ')[0]}`, () => {
    const judgement = judgeConfirmation({ ...QUESTION, ...more });
    assert.match(`${judgement.type} ${judgement.type === 'refused' ? judgement.reason : ''}`, expected);
  });
}
