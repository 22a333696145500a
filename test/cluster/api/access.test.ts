/**
 * The status API and the metrics with tokens of real accounts: each operation, for each account and namespace, answers
 * as `kubectl auth can-i` says of the account.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMap, secret, text } from '../../support/objects.ts';
import { grant, rule, type Rule } from '../../support/rights.ts';
import { at, QUICK_FLAGS } from '../../support/scene.ts';
import { useWorld } from '../../support/use-world.ts';
import type { ApplicationHandle } from '../../support/world.ts';
import { formsOf } from '../credentials/surfaces.ts';

const { world, agent } = useWorld({ agent: { flags: [...QUICK_FLAGS, '--metrics-need-token', 'true'] } });

const NAMESPACES = ['apps', 'shop'];
const APPLICATIONS = 'applications';
const READ = ['get', 'list'];

/** The rules of each account, by namespace; empty: the whole cluster. */
const ACCOUNTS: Readonly<Record<string, Readonly<Record<string, readonly Rule[]>>>> = {
  everywhere: { '': [rule('tautline.dev', APPLICATIONS, READ), rule('', 'configmaps', ['get'])] },
  'one-namespace': { apps: [rule('tautline.dev', APPLICATIONS, READ)], shop: [rule('', 'configmaps', ['get'])] },
  lists: { shop: [rule('tautline.dev', APPLICATIONS, ['list'])] },
  gets: { shop: [rule('tautline.dev', APPLICATIONS, ['get'])] },
  operator: {
    apps: [
      rule('tautline.dev', APPLICATIONS, [...READ, 'patch']),
      rule('', 'configmaps', ['get']),
      rule('', 'events', ['list']),
      rule('', 'pods/log', ['get']),
      rule('', 'pods', ['get']),
    ],
    shop: [rule('tautline.dev', APPLICATIONS, ['patch']), rule('', 'events', ['list'])],
  },
  nothing: {},
  /** It signs in, and sends the cookie of its session in place of its token. */
  session: {
    apps: [
      rule('tautline.dev', APPLICATIONS, [...READ, 'patch']),
      rule('', 'configmaps', ['get']),
      rule('', 'events', ['list']),
    ],
    shop: [rule('tautline.dev', APPLICATIONS, ['get'])],
  },
};

/** A right as `verb resource`, or several, of which the caller needs all. */
type Rights = readonly string[];

const GET = 'get applications.tautline.dev';
const OBJECT = 'kind=ConfigMap&namespace=NAMESPACE&name=a';

/** Operations below an Application, the rights that the API server asks for, and the status of an allowed request. */
const OPERATIONS: readonly (readonly [path: string, rights: Rights, status: number])[] = [
  ['', [GET], 200],
  ['/tree', [GET], 200],
  ['/plan', [GET], 404],
  [`/object?${OBJECT}`, [GET], 200],
  [`/events?${OBJECT}`, [GET, 'list events'], 200],
  ['/log?namespace=NAMESPACE&pod=none', [GET, 'get pods/log'], 404],
  ['POST /refresh', [GET, 'patch applications.tautline.dev'], 202],
  ['POST /sync', [GET, 'patch applications.tautline.dev'], 202],
  ['POST /resume', [GET, 'patch applications.tautline.dev'], 200],
];

/** As `kubectl auth can-i` asks it. */
async function canI(account: string, verb: string, resource: string, namespace: string): Promise<boolean> {
  const [plural = '', ...group] = resource.split('.');
  const [name = '', subresource = ''] = plural.split('/');
  const resourceAttributes = { verb, resource: name, subresource, group: group.join('.'), namespace };
  const user = `system:serviceaccount:people:${account}`;
  const groups = ['system:serviceaccounts', 'system:serviceaccounts:people', 'system:authenticated'];
  const review = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: { user, groups, resourceAttributes },
  };
  const answer = await world.send('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', review);
  return at(answer, 'status', 'allowed') === true;
}

type Credential = Readonly<Record<string, string>>;

const bearer = (token: string): Credential => ({ authorization: `Bearer ${token}` });

/** The headers with which an account is recognised. */
async function credentialOf(account: string): Promise<Credential> {
  const token = await world.plane.serviceAccountToken('people', account);
  return account === 'session' ? signIn(token) : bearer(token);
}

async function signIn(token: string): Promise<Credential> {
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ token });
  const begun = await fetch(`${agent.apiUrl}/api/v1/session`, { method: 'POST', headers, body });
  assert.equal(begun.status, 204);
  const cookies = begun.headers.getSetCookie().map((cookie) => cookie.split(';')[0] ?? '');
  return { cookie: cookies.join('; '), origin: agent.apiUrl };
}

function ask(path: string, credential: Credential = {}): Promise<Response> {
  return fetch(path, { headers: credential });
}

function post(path: string, credential: Credential): Promise<Response> {
  const headers = { ...credential, 'content-type': 'application/json' };
  const body = /resume$/.test(path) ? '{}' : '{"replace":true}';
  return fetch(path, { method: 'POST', headers, body });
}

async function drift(namespace: string, application: ApplicationHandle): Promise<void> {
  await world.apply(configMap('a', { k: 'by hand' }, { namespace }), 'someone');
  await application.refresh();
}

test('each account sees and does what kubectl auth can-i allows it', async () => {
  const applications = new Map<string, ApplicationHandle>();
  for (const namespace of NAMESPACES) {
    const repository = await world.repository(namespace);
    const files = [configMap('a', { k: 'from Git' }), secret('s', { stringData: { k: 'sealed' } })];
    await repository.commit({ 'all.yaml': files.map((file) => text(file)).join('---\n') });
    const source = { repoURL: repository.url };
    const application = await world.declare('web', { source, sync: { mode: 'manual' } }, namespace);
    await application.ask({ action: 'sync' });
    applications.set(namespace, application);
    await drift(namespace, application);
  }
  for (const [account, rules] of Object.entries(ACCOUNTS)) {
    const credential = await credentialOf(account);
    if (account === 'session') {
      // The operator has synced it.
      const apps = applications.get('apps') ?? assert.fail();
      await apps.refresh();
      await drift('apps', apps);
    }
    for (const [namespace, granted] of Object.entries(rules)) {
      await grant(world, { namespace, rules: granted, to: { namespace: 'people', name: account } });
    }
    const listable = [];
    for (const namespace of NAMESPACES) {
      if (await canI(account, 'list', 'applications.tautline.dev', namespace)) listable.push(namespace);
      const url = `${agent.apiUrl}/api/v1/applications/${namespace}/web`;
      const mayGet = await canI(account, 'get', 'applications.tautline.dev', namespace);
      const seesValues = mayGet && (await canI(account, 'get', 'configmaps', namespace));
      for (const path of ['', `/object?${OBJECT.replace('NAMESPACE', namespace)}`]) {
        const body = await (await ask(url + path, credential)).text();
        assert.equal(body.includes('by hand'), seesValues, `${account} sees values of ${namespace}: ${body}`);
      }
      for (const [operation, rights, status] of OPERATIONS) {
        const answers = await Promise.all(
          rights.map((right) => canI(account, right.split(' ')[0] ?? '', right.split(' ')[1] ?? '', namespace)),
        );
        const expected = answers.every(Boolean) ? status : 403;
        const path = operation.replace('POST ', '').replace('NAMESPACE', namespace);
        const answer = await (operation.startsWith('POST')
          ? post(url + path, credential)
          : ask(url + path, credential));
        assert.equal(answer.status, expected, `${account}: ${operation} in ${namespace}: ${await answer.text()}`);
      }
      const stream = await ask(`${agent.apiUrl}/api/v1/stream?namespace=${namespace}`, credential);
      await stream.body?.cancel();
      assert.equal(stream.status, listable.includes(namespace) ? 200 : 403, `${account} follows ${namespace}`);
    }
    const list = await ask(`${agent.apiUrl}/api/v1/applications`, credential);
    const listed =
      list.status === 403 ? [] : ((await list.json()) as { applications: { namespace: string }[] }).applications;
    assert.deepEqual(
      listed.map(({ namespace }) => namespace),
      listable,
      account,
    );
  }
});

test('tokens that the API server does not know see nothing', async () => {
  const token = await world.plane.serviceAccountToken('people', 'everywhere');
  for (const wrong of [undefined, 'none', `${token}x`, `${token.split('.').slice(0, 2).join('.')}.AAAA`]) {
    for (const path of ['', '/apps/web', '/apps/none']) {
      const answer = await ask(`${agent.apiUrl}/api/v1/applications${path}`, wrong === undefined ? {} : bearer(wrong));
      assert.equal(answer.status, 401, wrong ?? 'none');
    }
    assert.equal((await ask(`${agent.metricsUrl}/metrics`, wrong === undefined ? {} : bearer(wrong))).status, 401);
  }
  assert.ok(!JSON.stringify(agent.log).includes(token) && !agent.stderr().includes(token), 'no token is logged');
});

test('the token of a session is in no answer, no cookie, no log and no metric', async () => {
  const token = await world.plane.serviceAccountToken('people', 'session');
  const url = `${agent.apiUrl}/api/v1`;
  const credential = await signIn(token);
  const begun = (await (await ask(`${url}/session`, credential)).json()) as Record<string, unknown>;
  assert.deepEqual([begun['signedIn'], begun['user']], [true, 'system:serviceaccount:people:session']);
  assert.ok(Date.parse(String(begun['expiresAt'])) <= Date.now() + 3_601_000, 'the token is good for an hour');
  const paths = ['session', 'applications', 'applications/apps/web', 'applications/shop/web/log?namespace=shop&pod=p'];
  const answers = await Promise.all(paths.map(async (path) => (await ask(`${url}/${path}`, credential)).text()));
  const refused = await fetch(`${url}/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token: `${token}x`, more: token }),
  });
  const prometheus = await ask(`${agent.metricsUrl}/metrics`, bearer(token));
  const texts = [await refused.text(), await prometheus.text(), JSON.stringify(agent.log), agent.stderr()];
  const signature = token.split('.')[2] ?? assert.fail('the token is a JWT');
  for (const text of [...answers, ...texts, ...Object.values(credential)]) {
    for (const form of formsOf(signature)) assert.ok(!text.includes(form), text.slice(0, 500));
  }
});

test('a dry run that a person asks for makes a plan, and the stream tells that it is answered', async () => {
  const token = await world.plane.serviceAccountToken('people', 'operator');
  const url = `${agent.apiUrl}/api/v1/applications/apps/web`;
  const stream = await ask(`${agent.apiUrl}/api/v1/stream?namespace=apps`, bearer(token));
  const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
  let told = '';
  const untilTold = async (words: string): Promise<void> => {
    while (!told.includes(words)) told += (await reader?.read())?.value ?? assert.fail(`the stream ended: ${told}`);
  };
  await untilTold('event: reset');
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const asked = await fetch(`${url}/sync`, { method: 'POST', headers, body: '{"dryRun":true,"replace":true}' });
  const { id } = (await asked.json()) as { id: string };
  let plan = await ask(`${url}/plan?request=${id}`, bearer(token));
  while (plan.status === 404) {
    await untilTold('event: application');
    told = '';
    plan = await ask(`${url}/plan?request=${id}`, bearer(token));
  }
  const { objects } = (await plan.json()) as { objects: { name: string; action: string }[] };
  assert.ok(Array.isArray(objects));
  const audited = await world.read('/apis/tautline.dev/v1alpha1/namespaces/apps/applications/web');
  assert.ok(JSON.stringify(at(audited, 'metadata', 'managedFields')).includes('tautline-api'));
  await reader?.cancel();
});

test('metrics are given to an account that may get their path', async () => {
  const token = await world.plane.serviceAccountToken('people', 'prometheus');
  assert.equal((await ask(`${agent.metricsUrl}/metrics`, bearer(token))).status, 403);
  const metadata = { name: 'reads-metrics' };
  await world.apply({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata,
    rules: [{ nonResourceURLs: ['/metrics'], verbs: ['get'] }],
  });
  const reader = await world.plane.serviceAccountToken('people', 'reader');
  await world.apply({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata,
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: metadata.name },
    subjects: [{ kind: 'ServiceAccount', namespace: 'people', name: 'reader' }],
  });
  const answer = await ask(`${agent.metricsUrl}/metrics`, bearer(reader));
  assert.equal(answer.status, 200);
  assert.match(await answer.text(), /tautline_/);
});
