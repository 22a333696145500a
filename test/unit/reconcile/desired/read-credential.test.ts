import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agentIdentity, serviceAccountIdentity, type Identity } from '../../../../src/cluster/identity.ts';
import type { LabelledSecret } from '../../../../src/application/credential-secret.ts';
import type { LabelledAnswer, SecretAnswer } from '../../../../src/cluster/ports.ts';
import { StageError } from '../../../../src/object/stage-error.ts';
import {
  explainAccess,
  readCredential,
  type CredentialQuestion,
} from '../../../../src/reconcile/desired/read-credential.ts';
import { applicationOf } from '../../../support/applications.ts';
import { refusedWith } from '../../../support/changes.ts';
import { NO_LABELLED_SECRETS } from '../../../support/reading.ts';
import { sourceError } from '../../../../src/object/source-error.ts';

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
    credentialSecrets: NO_LABELLED_SECRETS,
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

const ADDRESS = 'https://git.example.com/team/shop.git';
const LABEL = 'tautline.dev/secret-type';

interface Stored {
  readonly url: string;
  readonly values?: Readonly<Record<string, string>>;
  /** In the Secret, where it differs from the list. */
  readonly now?: { readonly url?: string; readonly type?: string } | 'deleted' | 'forbidden';
}

/** A namespace `apps` with labelled Secrets. Returns what was asked of the API server beside the credential. */
function labelled(stored: Readonly<Record<string, Stored>>, listed?: LabelledAnswer) {
  const asked: string[] = [];
  const secrets = Object.entries(stored).map(([name, { url }]): LabelledSecret => ({
    name,
    label: LABEL,
    type: 'repo-creds',
    url,
    keys: ['username', 'url'],
  }));
  const application = applicationOf({ spec: { source: { repoURL: ADDRESS } } });
  const question: CredentialQuestion = {
    application,
    identity: DEPLOYER,
    context: {
      hub: {
        as: (account) => ({
          async readSecret(namespace, name): Promise<SecretAnswer> {
            assert.deepEqual([account, namespace], [DEPLOYER, 'apps']);
            asked.push(`get ${name}`);
            const { url = '', now, values = { username: name, password: 'word' } } = stored[name] ?? {};
            if (now === 'forbidden') return refusedWith('Forbidden');
            if (now === 'deleted') return { ok: true, data: undefined };
            const { data } = secretWith({ ...values, url: now?.url ?? url }) as SecretAnswer & { ok: true };
            return { ok: true, data, labels: { [LABEL]: now?.type ?? 'repo-creds' } };
          },
        }),
        credentialSecrets: {
          async list(account, namespace) {
            assert.deepEqual([account, namespace], [DEPLOYER, 'apps']);
            asked.push('list');
            return listed ?? { ok: true, secrets };
          },
          doubt: () => void asked.push('doubt'),
        },
      },
    },
  };
  return { question, asked };
}

test('without secretRef, the labelled Secret with the longest prefix is read, and no other one', async () => {
  const { question, asked } = labelled({
    host: { url: 'https://git.example.com' },
    team: { url: 'https://git.example.com/team' },
    other: { url: 'https://git.example.com/tea' },
  });
  assert.equal((await readCredential(question))?.secret, 'apps/team');
  assert.deepEqual(asked, ['list', 'get team']);
});

test('a Secret that the spec names wins, and nothing is listed', async () => {
  const { question, asked } = labelled({ team: { url: 'https://git.example.com/team' }, git: { url: '' } });
  assert.equal((await readCredential({ ...question, application: NAMED }))?.secret, 'apps/git');
  assert.deepEqual(asked, ['get git']);
});

test('another repository has the Secret of its own address', async () => {
  const { question } = labelled({
    team: { url: 'https://git.example.com/team' },
    charts: { url: 'https://charts.example.com' },
  });
  const other = { repoURL: 'https://charts.example.com/x', chart: 'web', secretName: undefined, field: 'f' };
  assert.equal((await readCredential({ ...question, other }))?.secret, 'apps/charts');
  const foreign = { ...other, repoURL: 'https://foreign.example.com/x' };
  assert.equal(await readCredential({ ...question, other: foreign }), undefined);
});

for (const [what, now] of [
  ['was deleted', 'deleted'],
  ['is for another address now', { url: 'https://other.example.com' }],
  ['has lost its label', { type: 'none' }],
] as const) {
  test(`a labelled Secret that ${what} since the list is not used, and the list is doubted`, async () => {
    const { question, asked } = labelled({
      host: { url: 'https://git.example.com' },
      team: { url: 'https://git.example.com/team', now },
    });
    assert.equal((await readCredential(question))?.secret, 'apps/host');
    assert.deepEqual(asked, ['list', 'get team', 'doubt', 'get host']);
  });
}

test('a labelled Secret that may be listed and not read fails, and no shorter prefix is tried', async () => {
  const { question } = labelled({
    host: { url: 'https://git.example.com' },
    team: { url: 'https://git.example.com/team', now: 'forbidden' },
  });
  await assert.rejects(readCredential(question), {
    code: 'SecretForbidden',
    message: /apps\/team of the label tautline\.dev\/secret-type may not be read by the ServiceAccount apps\/deployer/,
  });
});

test('an account that may list no Secrets reads repositories without a credential', async () => {
  const { question } = labelled({}, refusedWith('Forbidden'));
  assert.equal(await readCredential(question), undefined);
});

test('a list that fails for another reason fails the poll', async () => {
  const { question } = labelled({}, refusedWith('Unavailable'));
  await assert.rejects(readCredential(question), {
    code: 'SecretUnreadable',
    message: /Secrets with credentials of the namespace apps could not be listed/,
  });
});

test('after an error about access the Secrets are listed again, and a missing right is named', async () => {
  const refusal = sourceError('AuthenticationRequired', 'The server asks for credentials.');
  const { question, asked } = labelled({}, refusedWith('Forbidden'));
  const explained = await explainAccess(refusal, question);
  assert.ok(explained instanceof StageError);
  assert.equal(explained.code, 'AuthenticationRequired');
  assert.match(
    explained.message,
    /^The server asks for credentials\. .* ServiceAccount apps\/deployer may not list Secrets/,
  );
  assert.ok(asked.includes('doubt'));
  const allowed = labelled({});
  assert.equal(await explainAccess(refusal, allowed.question), refusal);
  assert.ok(allowed.asked.includes('doubt'));
});

test('after an outage, or where the spec names a Secret, nothing is listed again', async () => {
  const { question, asked } = labelled({});
  const outage = sourceError('Network', 'The server could not be reached.');
  assert.equal(await explainAccess(outage, question), outage);
  const refusal = sourceError('CredentialsRefused', 'The server refuses.');
  assert.equal(await explainAccess(refusal, { ...question, application: NAMED }), refusal);
  assert.deepEqual(asked, []);
});
