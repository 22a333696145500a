import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChangeResult } from '../../../../src/apply/applied.ts';
import type { RefusalCode } from '../../../../src/cluster/answers.ts';
import type { Change, ChangeType } from '../../../../src/diff/changes.ts';
import { idKey } from '../../../../src/object/identity.ts';
import type { Problem, ProblemCode } from '../../../../src/object/problem.ts';
import { awaitedGroupsOf } from '../../../../src/reconcile/report/awaited-groups.ts';
import { changeOf, idOf, refusedWith } from '../../../support/changes.ts';

const GROUP = 'plant.example.net';
const valve = (group: string) => idOf('v', { group, kind: 'Valve' });

const change = (type: ChangeType, group: string): Change => changeOf(type, { id: valve(group) });

function refused(code: RefusalCode, group: string): ReadonlyMap<string, ChangeResult> {
  const of = change('create', group);
  return new Map([[idKey(of.id), { change: of, outcome: 'failed', refusal: refusedWith(code).refusal }]]);
}

function problem(code: ProblemCode, group: string): Problem {
  return { code, message: 'it is so', object: valve(group) };
}

const NONE = { applied: new Map<string, ChangeResult>(), changes: [], problems: [] };

const CASES: readonly [name: string, report: Parameters<typeof awaitedGroupsOf>[0], wanted: readonly string[]][] = [
  ['nothing is wrong', { ...NONE, changes: [change('none', GROUP)] }, []],
  ['a definition refuses a manifest', { ...NONE, applied: refused('InvalidManifest', GROUP) }, [GROUP]],
  ['an update is forbidden', { ...NONE, applied: refused('Immutable', GROUP) }, [GROUP]],
  ['a kind is not served', { ...NONE, applied: refused('KindNotServed', GROUP) }, [GROUP]],
  ['a right is missing', { ...NONE, applied: refused('Forbidden', GROUP) }, []],
  ['the manifest of a built-in kind is refused', { ...NONE, applied: refused('InvalidManifest', 'apps') }, []],
  ['a kind is unknown', { ...NONE, problems: [problem('KindUnknown', GROUP)] }, [GROUP]],
  ['a kind does not answer', { ...NONE, problems: [problem('KindUnavailable', GROUP)] }, [GROUP]],
  ['a manifest is malformed', { ...NONE, problems: [problem('ReservedField', GROUP)] }, []],
  ['an object cannot be read', { ...NONE, changes: [change('unknown', GROUP)] }, [GROUP]],
  ['a dry run is refused', { ...NONE, changes: [change('unsure', GROUP)] }, [GROUP]],
  [
    'a right is missing for an object that is unsure',
    { ...NONE, changes: [change('unsure', GROUP)], applied: refused('Forbidden', GROUP) },
    [],
  ],
];

for (const [name, report, wanted] of CASES) {
  test(`where ${name}, ${wanted.length > 0 ? 'its definition' : 'no definition'} is awaited`, () => {
    assert.deepEqual([...awaitedGroupsOf(report)], wanted);
  });
}
