import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ensureNamespace, type NamespaceAnswer } from '../../../src/apply/namespace.ts';
import { ABSENT, found, idOf, liveOf, refusedWith, written } from '../../support/changes.ts';
import { scriptClient, type ScriptedAnswer } from '../../support/scripted-client.ts';

const NAMESPACE = liveOf({ id: idOf('shop', { kind: 'Namespace', namespace: '' }) });
const FORBIDDEN = refusedWith('Forbidden');
const APPLY = 'apply shop as tautline-namespace';

interface Case {
  readonly script: readonly ScriptedAnswer[];
  readonly requests: readonly string[];
  readonly answer: NamespaceAnswer;
}

const CASES: Readonly<Record<string, Case>> = {
  'a namespace that exists is only read': {
    script: [{ get: found(NAMESPACE) }],
    requests: ['get shop'],
    answer: { ok: true, isCreated: false },
  },
  'an absent namespace is applied by a field manager of its own, without force': {
    script: [{ get: ABSENT }, { apply: written(NAMESPACE, true) }],
    requests: ['get shop', APPLY],
    answer: { ok: true, isCreated: true },
  },
  'a namespace that another client creates meanwhile is not reported as created': {
    script: [{ get: ABSENT }, { apply: written(NAMESPACE) }],
    requests: ['get shop', APPLY],
    answer: { ok: true, isCreated: false },
  },
  'a refused read of a namespace is handed on': {
    script: [{ get: FORBIDDEN }],
    requests: ['get shop'],
    answer: FORBIDDEN,
  },
  'a refused apply of a namespace is handed on': {
    script: [{ get: ABSENT }, { apply: FORBIDDEN }],
    requests: ['get shop', APPLY],
    answer: FORBIDDEN,
  },
};

for (const [name, { script, requests, answer }] of Object.entries(CASES)) {
  test(name, async () => {
    const { client, bodies, expectRequests } = scriptClient(script);
    assert.deepEqual(await ensureNamespace(client, 'shop'), answer);
    expectRequests(requests);
    for (const body of bodies) assert.deepEqual(body.metadata, { name: 'shop' }, 'the namespace has no marks');
  });
}
