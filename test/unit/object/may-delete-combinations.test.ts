/** The one decision about deletions, over every combination of the facts that it reads. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isGuardedKind } from '../../../src/object/guarded-kinds.ts';
import type { ObjectId } from '../../../src/object/identity.ts';
import { mayDelete, type DeleteDecision, type DeleteOccasion } from '../../../src/object/may-delete.ts';
import type { Value, ValueMap } from '../../../src/object/value.ts';
import { fromGit, idOf, liveOf, marksOf, OTHER_OWNER, OWNER } from '../../support/changes.ts';

const { labels: OUR_LABEL, annotations: OUR_ANNOTATION } = marksOf(OWNER);
const OTHER = marksOf(OTHER_OWNER);

const MARKS: Readonly<Record<string, { readonly labels?: ValueMap; readonly annotations?: ValueMap }>> = {
  both: { labels: OUR_LABEL, annotations: OUR_ANNOTATION },
  'the label alone': { labels: OUR_LABEL },
  'the annotation alone': { annotations: OUR_ANNOTATION },
  'the annotation of another one': { labels: OUR_LABEL, annotations: OTHER.annotations },
  'the marks of another Application': OTHER,
  'the label of another tool': { labels: { 'applyset.kubernetes.io/part-of': 'applyset-other' } },
  none: {},
};

const OWNERS: Readonly<Record<string, Value[]>> = {
  'without an owner': [],
  'with an owner that is not its controller': [{ kind: 'Job', name: 'a', uid: 'u' }],
  'with an owner that is marked as not its controller': [{ kind: 'Job', name: 'a', uid: 'u', controller: false }],
  'with a controller': [
    { kind: 'Job', name: 'a', uid: 'u' },
    { kind: 'Set', name: 'b', uid: 'v', controller: true },
  ],
};

const OPTIONS = 'argocd.argoproj.io/sync-options';

const ANNOTATIONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'no annotation': {},
  'Prune=false': { [OPTIONS]: 'Prune=false' },
  'Prune=confirm': { [OPTIONS]: 'Prune=confirm' },
  'Delete=false': { [OPTIONS]: 'Delete=false' },
  'Delete=confirm': { [OPTIONS]: 'Delete=confirm' },
  'Prune=confirm,Delete=false': { [OPTIONS]: 'Prune=confirm,Delete=false' },
  'prune: disabled': { 'kustomize.toolkit.fluxcd.io/prune': 'disabled' },
  'resource-policy: keep': { 'helm.sh/resource-policy': 'keep' },
};

const KINDS: Readonly<Record<string, ObjectId>> = {
  'a ConfigMap': idOf('settings'),
  'a Namespace': idOf('shop', { kind: 'Namespace', namespace: '' }),
  'a PersistentVolumeClaim': idOf('data', { kind: 'PersistentVolumeClaim' }),
  'a definition': idOf('widgets.example.com', {
    group: 'apiextensions.k8s.io',
    kind: 'CustomResourceDefinition',
    namespace: '',
  }),
};

const OCCASIONS: readonly DeleteOccasion[] = ['prune', 'hook', 'recreate', 'deletion'];

interface Facts {
  readonly marks: string;
  readonly owners: string;
  readonly annotation: string;
  readonly kind: string;
  readonly isDisabled: boolean;
  readonly occasion: DeleteOccasion;
}

/** Each fact with each of its values, and that with each value of the next one. */
function everyCombination(): Facts[] {
  return Object.keys(MARKS).flatMap((marks) =>
    Object.keys(OWNERS).flatMap((owners) =>
      Object.keys(ANNOTATIONS).flatMap((annotation) =>
        Object.keys(KINDS).flatMap((kind) =>
          [false, true].flatMap((isDisabled) =>
            OCCASIONS.map((occasion) => ({ marks, owners, annotation, kind, isDisabled, occasion })),
          ),
        ),
      ),
    ),
  );
}

function decide({ marks, owners, annotation, kind, isDisabled, occasion }: Facts): DeleteDecision {
  const disabled: ValueMap = isDisabled ? { 'kustomize.toolkit.fluxcd.io/reconcile': 'disabled' } : {};
  const annotations = { ...MARKS[marks]?.annotations, ...ANNOTATIONS[annotation], ...disabled };
  const metadata = {
    labels: MARKS[marks]?.labels ?? {},
    annotations,
    ...fromGit(annotations),
    ownerReferences: OWNERS[owners] ?? [],
  };
  return mayDelete({ live: liveOf({ id: KINDS[kind] ?? idOf(''), metadata }), owner: OWNER, occasion });
}

const isOurs = ({ marks, owners }: Facts): boolean => marks === 'both' && owners !== 'with a controller';

/** By annotation: the decision about an object of ours that may be deleted otherwise. */
const BY_ANNOTATION: Readonly<Record<string, { readonly [Occasion in 'prune' | 'deletion']: DeleteDecision['type'] }>> =
  {
    'no annotation': { prune: 'delete', deletion: 'delete' },
    'Prune=false': { prune: 'release', deletion: 'delete' },
    'Prune=confirm': { prune: 'confirm', deletion: 'delete' },
    'Delete=false': { prune: 'delete', deletion: 'release' },
    'Delete=confirm': { prune: 'delete', deletion: 'confirm' },
    'Prune=confirm,Delete=false': { prune: 'confirm', deletion: 'release' },
    'prune: disabled': { prune: 'release', deletion: 'release' },
    'resource-policy: keep': { prune: 'release', deletion: 'release' },
  };

/** Annotations with which an object that is in Git is never deleted: they forbid it, or ask for a confirmation. */
const PROTECTED = [
  'Prune=confirm',
  'Delete=confirm',
  'Prune=confirm,Delete=false',
  'prune: disabled',
  'resource-policy: keep',
];

function expectedOf(facts: Facts): DeleteDecision['type'] {
  const { annotation, isDisabled, kind, occasion } = facts;
  if (isDisabled) return 'leave';
  if (occasion === 'recreate' || occasion === 'hook') {
    const isPossible = occasion === 'hook' || kind === 'a ConfigMap';
    return isOurs(facts) && isPossible && !PROTECTED.includes(annotation) ? 'delete' : 'refuse';
  }
  return isOurs(facts) ? (BY_ANNOTATION[annotation]?.[occasion] ?? 'refuse') : 'release';
}

test('each combination of marks, owners, annotations, kind and occasion has the decision of the table', () => {
  let count = 0;
  for (const facts of everyCombination()) {
    assert.equal(decide(facts).type, expectedOf(facts), JSON.stringify(facts));
    count++;
  }
  assert.equal(count, 7 * 4 * 8 * 4 * 2 * 4);
});

test('nothing is deleted that does not carry both marks, or that a controller owns', () => {
  for (const facts of everyCombination()) {
    const { type } = decide(facts);
    if (type === 'delete' || type === 'confirm') assert.ok(isOurs(facts) && !facts.isDisabled, JSON.stringify(facts));
  }
});

test('an object of a guarded kind is never deleted to be created again', () => {
  for (const facts of everyCombination()) {
    if (facts.occasion !== 'recreate' || facts.kind === 'a ConfigMap') continue;
    assert.ok(isGuardedKind(KINDS[facts.kind] ?? idOf('')));
    assert.notEqual(decide(facts).type, 'delete', JSON.stringify(facts));
  }
});

const PLAIN: Facts = {
  marks: 'both',
  owners: 'without an owner',
  annotation: 'no annotation',
  kind: 'a ConfigMap',
  isDisabled: false,
  occasion: 'prune',
};

const REASONS: readonly (readonly [Partial<Facts>, RegExp])[] = [
  [{ isDisabled: true }, /^not changed: it carries .*reconcile: disabled$/],
  [{ marks: 'the marks of another Application' }, /^managed by Application hub\/apps\/other$/],
  [{ marks: 'none' }, /^its owner label and annotation no longer name this Application$/],
  [{ owners: 'with a controller' }, /^a controller owns it$/],
  [{ annotation: 'Prune=false' }, /^its annotations forbid deleting it/],
  [{ occasion: 'recreate', owners: 'with a controller' }, /^it is not deleted: a controller owns it$/],
  [{ occasion: 'recreate', kind: 'a Namespace' }, /^a Namespace is never deleted to be created again/],
];
for (const [more, expected] of REASONS) {
  test(`the reason for ${JSON.stringify(more)} matches ${expected}`, () => {
    const decision = decide({ ...PLAIN, ...more });
    assert.match('reason' in decision ? decision.reason : '', expected);
  });
}
