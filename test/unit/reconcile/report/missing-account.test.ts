/** When the account of an Application is looked for, and what is told of one that does not exist. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agentIdentity, serviceAccountIdentity, type Identity } from '../../../../src/cluster/identity.ts';
import type { ReadAnswer } from '../../../../src/cluster/ports.ts';
import type { ErrorCode } from '../../../../src/object/error-code.ts';
import { findMissingAccount, type AccountQuestion } from '../../../../src/reconcile/report/missing-account.ts';
import type { Findings } from '../../../../src/reconcile/report/report-of.ts';
import type { StageFailure } from '../../../../src/status/report.ts';
import { applicationOf } from '../../../support/applications.ts';
import { changeOf, idOf } from '../../../support/changes.ts';
import { kindsOf } from '../../../support/reading.ts';

const ACCOUNT = serviceAccountIdentity('apps', 'deployer');
const ABSENT: ReadAnswer = { ok: true, object: undefined };
const REFUSED: ReadAnswer = {
  ok: false,
  refusal: { code: 'Forbidden', status: 403, message: 'no', retry: 'backoff' },
};

interface Situation {
  readonly identity?: Identity;
  readonly code?: ErrorCode;
  readonly findings?: Pick<Findings, 'applied' | 'changes'>;
  readonly answer?: ReadAnswer;
  readonly spec?: { readonly serviceAccountName?: string };
}

async function look({ identity = ACCOUNT, code, findings = {}, answer = ABSENT, spec = {} }: Situation) {
  const asked: string[] = [];
  const failures: StageFailure[] = code ? [{ stage: 'source', code, message: '', retry: 'backoff' }] : [];
  const hub = {
    kinds: async () => kindsOf(idOf('a', { kind: 'ServiceAccount' })),
    as: (asIdentity: Identity) => ({
      get: async (_kind: unknown, { namespace, name }: { namespace: string; name: string }) => {
        asked.push(`${asIdentity.type} ${namespace}/${name}`);
        return answer;
      },
    }),
  };
  const question = { application: applicationOf({ spec }), identity, failures, context: { hub } };
  return { found: await findMissingAccount(question as unknown as AccountQuestion, findings), asked };
}

test('an account that does not exist is told with its namespace and what to do', async () => {
  const { found, asked } = await look({ code: 'Forbidden', spec: { serviceAccountName: 'deployer' } });
  assert.equal(
    found?.message,
    'the ServiceAccount deployer does not exist in the namespace apps, so this Application may do nothing; create it ' +
      'and give it rights, or correct spec.serviceAccountName',
  );
  assert.deepEqual(asked, ['agent apps/deployer']);
  const common = await look({ code: 'Forbidden' });
  assert.match(common.found?.message ?? '', /--default-service-account$/);
});

const refusal = { code: 'Forbidden', status: 403, message: 'no', retry: 'backoff' } as const;
const SIGNS: Readonly<Record<string, Situation>> = {
  'a Secret may not be read': { code: 'SecretForbidden' },
  'data may not be read': { code: 'DataForbidden' },
  'an object is refused': {
    findings: { applied: new Map([['a', { change: changeOf('create'), outcome: 'failed', refusal }]]) },
  },
  'an object cannot be read': { findings: { changes: [changeOf('unknown')] } },
  'a dry run brings no answer': { findings: { changes: [changeOf('unsure')] } },
};
for (const [sign, situation] of Object.entries(SIGNS)) {
  test(`the account is looked for where ${sign}`, async () => {
    assert.notEqual((await look(situation)).found, undefined);
  });
}

test('nothing is asked where no right is missing, or the agent acts itself', async () => {
  for (const situation of [{}, { code: 'Network' }, { code: 'Forbidden', identity: agentIdentity }] as const) {
    assert.deepEqual(await look(situation), { found: undefined, asked: [] });
  }
});

test('an account that exists, or that cannot be read, is not called missing', async () => {
  const EXISTS = { ok: true, object: { uid: '1' } } as unknown as ReadAnswer;
  for (const answer of [EXISTS, REFUSED]) {
    const { found, asked } = await look({ code: 'Forbidden', answer });
    assert.deepEqual([found, asked.length], [undefined, 1]);
  }
});
