import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agentIdentity, serviceAccountIdentity, type Identity } from '../../../../src/cluster/identity.ts';
import type { SecretAnswer } from '../../../../src/cluster/ports.ts';
import { StageError } from '../../../../src/object/stage-error.ts';
import { readCredential } from '../../../../src/reconcile/desired/read-credential.ts';
import { applicationOf } from '../../../support/applications.ts';
import { refusedWith } from '../../../support/changes.ts';

const DEPLOYER = serviceAccountIdentity('apps', 'deployer');
const NAMED = applicationOf({ spec: { source: { secretRef: { name: 'git' } } } });

const secretWith = (values: Readonly<Record<string, string>>): SecretAnswer => ({
  ok: true,
  data: new Map(Object.entries(values).map(([key, text]) => [key, Buffer.from(text)])),
});

/** Reads the credential of an Application, and returns the Secrets that were asked for, with the account. */
async function read(answer: SecretAnswer, identity: Identity = DEPLOYER, application = NAMED) {
  const asked: unknown[] = [];
  const hub = {
    as: (account: Identity) => ({
      async readSecret(namespace: string, name: string) {
        asked.push([account, namespace, name]);
        return answer;
      },
    }),
  };
  return { credential: await readCredential({ application, identity, context: { hub } }), asked };
}

test("the Secret is read in the Application's namespace, with the rights of its account", async () => {
  const { credential, asked } = await read(secretWith({ username: 'me', password: 'word' }));
  assert.deepEqual(asked, [[DEPLOYER, 'apps', 'git']]);
  assert.equal(credential?.secret, 'apps/git');
  assert.deepEqual(credential.login, { type: 'basic', username: 'me', password: 'word' });
});

test('an Application that names no Secret reads none', async () => {
  const { credential, asked } = await read(secretWith({}), agentIdentity, applicationOf());
  assert.equal(credential, undefined);
  assert.deepEqual(asked, []);
});

const FAILURES: readonly (readonly [string, SecretAnswer, Identity, Partial<StageError>, RegExp])[] = [
  [
    'does not exist',
    { ok: true, data: undefined },
    DEPLOYER,
    { code: 'SecretNotFound', retry: 'backoff' },
    /^The Secret apps\/git of spec\.source\.secretRef does not exist\./,
  ],
  [
    'may not be read by the account',
    refusedWith('Forbidden'),
    DEPLOYER,
    { code: 'SecretForbidden', retry: 'backoff' },
    /may not be read by the ServiceAccount apps\/deployer\. Allow it the verb get/,
  ],
  [
    'may not be read by the agent',
    refusedWith('Forbidden'),
    agentIdentity,
    { code: 'SecretForbidden', retry: 'backoff' },
    /may not be read by the agent itself\./,
  ],
  [
    'cannot be read now',
    refusedWith('Unavailable'),
    DEPLOYER,
    { code: 'SecretUnreadable', retry: 'backoff' },
    /could not be read: the server answered Unavailable\.$/,
  ],
  [
    'cannot be read for a known time',
    refusedWith('Throttled', { retry: { afterMs: 5_000 } }),
    DEPLOYER,
    { code: 'SecretUnreadable', retry: { afterMs: 5_000 } },
    /could not be read/,
  ],
  [
    'holds no credential',
    secretWith({ note: 'no key that is read' }),
    DEPLOYER,
    { code: 'InvalidSecret', retry: 'backoff' },
    /apps\/git holds no credentials/,
  ],
];
for (const [what, answer, identity, { code, retry }, message] of FAILURES) {
  test(`a Secret that ${what} fails with ${code} and says what to do`, async () => {
    await assert.rejects(read(answer, identity), (error) => {
      assert.ok(error instanceof StageError);
      assert.deepEqual([error.stage, error.code, error.retry], ['source', code, retry]);
      assert.match(error.message, message);
      return true;
    });
  });
}
