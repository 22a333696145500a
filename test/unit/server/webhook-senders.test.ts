/** Webhooks of forges and registries with payloads of their own, most of which sign nothing and send a shared token. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { canonicalRepository } from '../../../src/application/repository.ts';
import { hmac, send, startHooks, type HookScene } from './webhook-scene.ts';

const SECRET = 'a-shared-token';
let scene: HookScene;
before(async () => {
  scene = await startHooks();
  for (const name of ['azure-devops', 'bitbucket-server', 'gerrit', 'registry', 'github']) {
    await scene.secret(name, SECRET);
  }
});
after(() => scene[Symbol.asyncDispose]());
beforeEach(() => void (scene.pushes.length = 0));

interface Sent {
  readonly path: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const basic = { authorization: `Basic ${btoa(`someone:${SECRET}`)}` };
const bearer = { authorization: `Bearer ${SECRET}` };

const AZURE = {
  eventType: 'git.push',
  resource: {
    refUpdates: [{ name: 'refs/heads/main', oldObjectId: '0', newObjectId: '1' }],
    repository: {
      name: 'shop',
      remoteUrl: 'https://org@dev.azure.com/org/project/_git/shop',
      defaultBranch: 'refs/heads/main',
    },
  },
};

const BITBUCKET_SERVER = {
  eventKey: 'repo:refs_changed',
  repository: {
    slug: 'shop',
    project: { key: 'TEAM' },
    links: {
      clone: [
        { name: 'http', href: 'https://git.example.com/scm/team/shop.git' },
        { name: 'ssh', href: 'ssh://git@git.example.com:7999/team/shop.git' },
      ],
      self: [{ href: 'https://git.example.com/projects/TEAM/repos/shop/browse' }],
    },
  },
  changes: [{ ref: { id: 'refs/heads/main', displayId: 'main', type: 'BRANCH' }, type: 'UPDATE' }],
};
const BY_PAGE = { ...BITBUCKET_SERVER, repository: { links: { self: BITBUCKET_SERVER.repository.links.self } } };

const GERRIT = {
  type: 'ref-updated',
  refUpdate: { oldRev: '0', newRev: '1', refName: 'refs/heads/main', project: 'team/shop' },
};
const GERRIT_BATCH = { type: 'batch-ref-updated', refUpdates: [GERRIT.refUpdate] };

const signed = (body: unknown) => ({
  'x-hub-signature': `sha256=${hmac(JSON.stringify(body), SECRET)}`,
  'x-event-key': 'repo:refs_changed',
});

const PUSHES: readonly (readonly [string, string, unknown, Readonly<Record<string, string>>, string, string[]])[] = [
  [
    'Azure DevOps',
    '/hooks/azure-devops',
    AZURE,
    basic,
    'git@ssh.dev.azure.com:v3/org/project/shop',
    ['refs/heads/main'],
  ],
  [
    'Bitbucket Data Center',
    '/hooks/bitbucket-server',
    BITBUCKET_SERVER,
    signed(BITBUCKET_SERVER),
    'ssh://git@git.example.com:7999/team/shop.git',
    ['refs/heads/main'],
  ],
  [
    'Bitbucket Server without clone addresses',
    '/hooks/bitbucket-server',
    BY_PAGE,
    signed(BY_PAGE),
    'https://git.example.com/scm/team/shop.git',
    ['refs/heads/main'],
  ],
  [
    'Gerrit by ssh',
    `/hooks/gerrit?server=git.example.com&token=${SECRET}`,
    GERRIT,
    {},
    'ssh://robot@git.example.com:29418/team/shop',
    ['refs/heads/main'],
  ],
  [
    'Gerrit by https with several references',
    `/hooks/gerrit?server=git.example.com&token=${SECRET}`,
    GERRIT_BATCH,
    {},
    'https://git.example.com/a/team/shop',
    ['refs/heads/main'],
  ],
  [
    'the registry of the distribution project',
    '/hooks/registry',
    {
      events: [
        { action: 'pull', target: { repository: 'team/other' }, request: { host: 'r.example.com:5000' } },
        { action: 'push', target: { repository: 'team/shop', tag: '1.0' }, request: { host: 'r.example.com:5000' } },
      ],
    },
    bearer,
    'oci://r.example.com:5000/team/shop',
    [],
  ],
  [
    'Azure Container Registry',
    '/hooks/registry',
    { action: 'push', target: { repository: 'team/shop', tag: '1' }, request: { host: 'x.azurecr.io' } },
    basic,
    'oci://x.azurecr.io/team/shop',
    [],
  ],
  [
    'Harbor',
    '/hooks/registry',
    { type: 'PUSH_ARTIFACT', event_data: { resources: [{ tag: '1', resource_url: 'h.example.com/team/shop:1' }] } },
    { authorization: SECRET },
    'oci://h.example.com/team/shop',
    [],
  ],
  [
    'Harbor as CloudEvents',
    '/hooks/registry',
    {
      type: 'harbor.artifact.pushed',
      data: { resources: [{ resource_url: 'h.example.com:5000/team/shop@sha256:12' }] },
    },
    { authorization: SECRET },
    'oci://h.example.com:5000/team/shop',
    [],
  ],
  [
    'Docker Hub',
    `/hooks/registry?token=${SECRET}`,
    { push_data: { tag: '1' }, repository: { repo_name: 'team/shop' } },
    {},
    'oci://registry-1.docker.io/team/shop',
    [],
  ],
  [
    'Quay',
    `/hooks/registry?token=${SECRET}`,
    { docker_url: 'quay.io/team/shop', updated_tags: ['1'] },
    {},
    'oci://quay.io/team/shop',
    [],
  ],
  [
    'a registry, for the Applications of a chart',
    `/hooks/registry?token=${SECRET}`,
    { docker_url: 'quay.io/team/charts/web', updated_tags: ['1'] },
    {},
    'oci://quay.io/team/charts',
    [],
  ],
];

const post = ({ path, body, headers = {} }: Sent) => send(`${scene.url}${path}`, { body, headers });

/** A signature or token of the same form that is not genuine. */
const wrongOf = (value: string): string =>
  value === basic.authorization
    ? `Basic ${btoa('someone:wrong')}`
    : value.replace(SECRET, 'wrong').replace(/=../, '=00');

for (const [name, path, payload, headers, address, refs] of PUSHES) {
  test(`a push of ${name} is understood, and refused with another token`, async () => {
    const body = JSON.stringify(payload);
    const answer = await post({ path, body, headers });
    assert.equal(answer.status, 200, JSON.stringify(answer.json));
    const [push] = scene.pushes;
    assert.ok(push);
    const known = push.addresses.map(canonicalRepository);
    assert.ok(known.includes(canonicalRepository(address)), JSON.stringify(push.addresses));
    assert.deepEqual(push.refs, refs);
    const wrong = Object.entries(headers).map(([key, value]) => [key, key === 'x-event-key' ? value : wrongOf(value)]);
    const refused = await post({
      path: path.replaceAll(SECRET, 'wrong'),
      body,
      headers: Object.fromEntries(wrong) as Record<string, string>,
    });
    assert.equal(refused.status, 401);
    const bare = await post({ path: path.replace(/\?.*/, ''), body });
    assert.equal(bare.status, 401);
    assert.equal(scene.pushes.length, 1);
  });
}

test('a package that GitHub reports is the artifact of its container registry', async () => {
  const payload = {
    action: 'published',
    registry_package: { package_version: { package_url: 'ghcr.io/team/shop:1' } },
  };
  const body = JSON.stringify(payload);
  const headers = { 'x-github-event': 'registry_package', 'x-hub-signature-256': `sha256=${hmac(body, SECRET)}` };
  assert.equal((await post({ path: '/hooks/github', body, headers })).status, 200);
  assert.deepEqual(scene.pushes[0]?.addresses, ['oci://ghcr.io/team/shop', 'oci://ghcr.io/team']);
});

test('events about anything else are ignored, and pushes without a repository are refused', async () => {
  const at = (path: string, payload: unknown) => post({ path, body: JSON.stringify(payload), headers: bearer });
  assert.equal((await at('/hooks/azure-devops', { eventType: 'workitem.created' })).status, 202);
  assert.equal((await at('/hooks/azure-devops', { eventType: 'git.push' })).status, 400);
  assert.equal((await at('/hooks/gerrit', { type: 'comment-added' })).status, 202);
  assert.equal((await at('/hooks/gerrit', GERRIT)).status, 400, 'the address names no server');
  assert.equal((await at('/hooks/registry', { type: 'DELETE_ARTIFACT' })).status, 202);
  assert.equal((await at('/hooks/registry', { events: [{ action: 'pull' }] })).status, 202);
  assert.equal((await at('/hooks/registry', { type: 'PUSH_ARTIFACT' })).status, 400);
  assert.deepEqual(scene.pushes, []);
});
