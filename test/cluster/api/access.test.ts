/**
 * The status API and the metrics with tokens of real accounts: each answer equals what `kubectl auth can-i` says of the
 * account.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMap, secret, text } from '../../support/objects.ts';
import { grant, rule, type Rule } from '../../support/rights.ts';
import { at, QUICK_FLAGS } from '../../support/scene.ts';
import { useWorld } from '../../support/use-world.ts';

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
  nothing: {},
};

/** As `kubectl auth can-i` asks it. */
async function canI(account: string, verb: string, resource: string, namespace: string): Promise<boolean> {
  const [plural = '', ...group] = resource.split('.');
  const resourceAttributes = { verb, resource: plural, group: group.join('.'), namespace };
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

function ask(path: string, token?: string): Promise<Response> {
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return fetch(path, { headers });
}

test('each account sees what kubectl auth can-i allows it', async () => {
  for (const namespace of NAMESPACES) {
    const repository = await world.repository(namespace);
    const files = [configMap('a', { k: 'from Git' }), secret('s', { stringData: { k: 'sealed' } })];
    await repository.commit({ 'all.yaml': files.map((file) => text(file)).join('---\n') });
    const source = { repoURL: repository.url };
    const application = await world.declare('web', { source, sync: { mode: 'manual' } }, namespace);
    await application.ask({ action: 'sync' });
    await world.apply(configMap('a', { k: 'by hand' }, { namespace }), 'someone');
    await application.refresh();
  }
  for (const [account, rules] of Object.entries(ACCOUNTS)) {
    const token = await world.plane.serviceAccountToken('people', account);
    for (const [namespace, granted] of Object.entries(rules)) {
      await grant(world, { namespace, rules: granted, to: { namespace: 'people', name: account } });
    }
    const listable = [];
    for (const namespace of NAMESPACES) {
      if (await canI(account, 'list', 'applications.tautline.dev', namespace)) listable.push(namespace);
      const detail = await ask(`${agent.apiUrl}/api/v1/applications/${namespace}/web`, token);
      const mayGet = await canI(account, 'get', 'applications.tautline.dev', namespace);
      assert.equal(detail.status, mayGet ? 200 : 403, `${account} gets ${namespace}/web`);
      const body = await detail.text();
      const seesValues = mayGet && (await canI(account, 'get', 'configmaps', namespace));
      assert.equal(body.includes('by hand'), seesValues, `${account} sees values of ${namespace}: ${body}`);
    }
    const list = await ask(`${agent.apiUrl}/api/v1/applications`, token);
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
      assert.equal((await ask(`${agent.apiUrl}/api/v1/applications${path}`, wrong)).status, 401, wrong ?? 'none');
    }
    assert.equal((await ask(`${agent.metricsUrl}/metrics`, wrong)).status, 401);
  }
  assert.ok(!JSON.stringify(agent.log).includes(token) && !agent.stderr().includes(token), 'no token is logged');
});

test('metrics are given to an account that may get their path', async () => {
  const token = await world.plane.serviceAccountToken('people', 'prometheus');
  assert.equal((await ask(`${agent.metricsUrl}/metrics`, token)).status, 403);
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
  const answer = await ask(`${agent.metricsUrl}/metrics`, reader);
  assert.equal(answer.status, 200);
  assert.match(await answer.text(), /tautline_/);
});
