/** The confirmation that a deleted Application needs: which request gives it, and what status shows. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { REQUEST_ANNOTATION } from '../../../../src/application/keys.ts';
import { digestPrune } from '../../../../src/application/prune-digest.ts';
import type { StoredStatus } from '../../../../src/application/schema.ts';
import type { ObjectId } from '../../../../src/object/identity.ts';
import { heldEndOf, judgeEnd, type EndQuestion } from '../../../../src/reconcile/deletion/confirmation.ts';
import type { DeletedApplication } from '../../../../src/reconcile/deletion/deletion.ts';
import { applicationOf } from '../../../support/applications.ts';
import { idOf } from '../../../support/changes.ts';

const [A, B, C] = [idOf('a'), idOf('b'), idOf('c')];
const ALL = { ids: [A, B, C], asking: [B] };

interface Asked {
  readonly generation?: number;
  readonly request?: Readonly<Record<string, unknown>>;
  readonly status?: Partial<StoredStatus>;
}

function deletedWith({ generation = 2, request, status = {} }: Asked = {}): DeletedApplication {
  const annotations = request ? { [REQUEST_ANNOTATION]: JSON.stringify(request) } : {};
  const { metadata, spec } = applicationOf({ metadata: { generation, annotations } });
  return { metadata, spec, status: { sync: { status: 'Synced', lastAppliedRevision: 'main' }, ...status } };
}

const CONFIRM = { id: 'one', action: 'confirm-prune' };
const IN_PROGRESS = { id: 'one', action: 'confirm-prune', outcome: 'InProgress' } as const;
const shownOf = (ids: readonly ObjectId[], confirmedBy?: string): Partial<StoredStatus> => ({
  pruneGuard: { held: heldEndOf(deletedWith(), ids, confirmedBy) },
});
const { digest: SHOWN } = heldEndOf(deletedWith(), ALL.ids);

const HELD_BEFORE: Partial<StoredStatus> = {
  pruneGuard: {
    held: {
      digest: digestPrune({
        commit: 'a'.repeat(40),
        generation: 1,
        left: ALL.ids.map((id) => ({ id, behind: [] })),
      }),
      objects: 3,
      revision: 'main',
    },
  },
};

const JUDGEMENTS: readonly (readonly [name: string, asked: Asked, question: EndQuestion, judgement: RegExp])[] = [
  ['no object asks', {}, { ids: [A], asking: [] }, /^unneeded$/],
  ['no object asks, and a request waits', { request: CONFIRM }, { ids: [A], asking: [] }, /^unneeded$/],
  ['one asks', {}, ALL, /^missing$/],
  ['a request came before status showed anything', { request: CONFIRM }, ALL, /^missing Refused .*no prune is held/],
  [
    'a request came for a prune that was held before the deletion',
    { request: CONFIRM, status: HELD_BEFORE },
    ALL,
    /^missing Refused .*other objects/,
  ],
  ['a request confirms them', { request: CONFIRM, status: shownOf(ALL.ids) }, ALL, /^given$/],
  [
    'a request names their digest',
    { request: { ...CONFIRM, digest: SHOWN }, status: shownOf(ALL.ids) },
    ALL,
    /^given$/,
  ],
  [
    'a request names another digest',
    { request: { ...CONFIRM, digest: 'x'.repeat(43) }, status: shownOf(ALL.ids) },
    ALL,
    /^missing Refused .*not that of the held prune/,
  ],
  [
    'status showed fewer objects',
    { request: CONFIRM, status: shownOf([A, B]) },
    ALL,
    /^missing Refused .*other objects/,
  ],
  [
    'status showed an older spec',
    { request: CONFIRM, generation: 3, status: shownOf(ALL.ids) },
    ALL,
    /^missing Refused .*other objects/,
  ],
  [
    'a request was refused',
    { request: CONFIRM, status: { ...shownOf(ALL.ids), lastRequest: { ...IN_PROGRESS, outcome: 'Refused' } } },
    ALL,
    /^missing$/,
  ],
  ['another request is made', { request: { id: 'one', action: 'sync' }, status: shownOf(ALL.ids) }, ALL, /^missing$/],
  [
    'a part of the confirmed objects is left',
    { request: CONFIRM, status: { ...shownOf([B, C], 'one'), lastRequest: IN_PROGRESS } },
    { ids: [B, C], asking: [B] },
    /^given recorded$/,
  ],
  [
    'those that asked are gone',
    { request: CONFIRM, status: { ...shownOf([C], 'one'), lastRequest: IN_PROGRESS } },
    { ids: [C], asking: [] },
    /^given recorded$/,
  ],
  [
    'the spec changes after the confirmation',
    { request: CONFIRM, generation: 3, status: { ...shownOf(ALL.ids, 'one'), lastRequest: IN_PROGRESS } },
    ALL,
    /^missing Refused .*other objects/,
  ],
];

for (const [when, asked, question, expected] of JUDGEMENTS) {
  test(`the deletion of objects where ${when} is decided as ${expected.source}`, () => {
    const found = judgeEnd(deletedWith(asked), question);
    const refused = found.type === 'missing' ? found.refused : undefined;
    const words = [
      found.type,
      ...(found.type === 'given' && found.isRecorded ? ['recorded'] : []),
      ...(refused ? [refused.outcome, refused.message] : []),
    ];
    assert.match(words.join(' '), expected);
  });
}

test('the reason names an object that asks, the number of all objects, and how to confirm', () => {
  const found = judgeEnd(deletedWith(), { ids: ALL.ids, asking: [B, C] });
  assert.equal(found.type, 'missing');
  assert.match(found.reason, /^ConfigMap shop\/b and 1 more ask for a confirmation \(Delete=confirm\)/);
  assert.match(found.reason, /none of the 3 objects .* is deleted; confirm it with: tautline confirm /);
});
