/** Which repositories a kustomization may name as bases, and where charts may be. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAddressRules } from '../../../../src/application/address-rule.ts';
import { refuseChart, refuseRemoteBase, refuseSubmodule } from '../../../../src/reconcile/desired/host-policy.ts';

const HOSTS = ['github.com', '*.example.com', 'git.shop.test:8443/team', 'forge.test/team'].flatMap(
  (text) => parseAddressRules(text) ?? [],
);

function mayName(repoURL: string, isPinned = true, isUnpinnedAllowed = false): boolean {
  const policy = { remoteBaseHosts: HOSTS, remoteBaseAllowUnpinned: isUnpinnedAllowed };
  return refuseRemoteBase({ repoURL, isPinned }, policy) === undefined;
}

const ALLOWED = [
  'https://github.com/org/repo',
  'https://GitHub.com/org/repo.git',
  'git@github.com:org/repo.git',
  'ssh://git@github.com/org/repo',
  'https://git.example.com/x/y',
  'https://git.shop.test:8443/team/app',
  'https://git.shop.test:8443//Team/app',
  'git@forge.test:team/app.git',
];
const REFUSED = [
  'https://gitlab.com/org/repo',
  'https://example.com/x/y',
  'https://github.com.evil.test/org/repo',
  'https://evil.test/github.com/repo',
  'https://git.shop.test/team/app',
  'https://git.shop.test:8443/teams/app',
  'https://github.com@evil.test/org/repo',
  'git@forge.test:team/../other/app.git',
  'ssh://git@forge.test/team/..%2Fother/app',
  'git@forge.test:teams/app.git',
  'git@-forge.test:team/app.git',
  'file:///etc/repo',
];
for (const repoURL of ALLOWED) {
  test(`${repoURL} may be named`, () => assert.ok(mayName(repoURL)));
}
for (const repoURL of REFUSED) {
  test(`${repoURL} may not be named`, () => assert.ok(!mayName(repoURL)));
}

test('a base without a revision is refused unless the settings allow it', () => {
  assert.ok(!mayName('https://github.com/org/repo', false));
  assert.ok(mayName('https://github.com/org/repo', false, true));
});

test('no repository may be named by default', () => {
  const policy = { remoteBaseHosts: [], remoteBaseAllowUnpinned: true };
  const problem = refuseRemoteBase({ repoURL: 'https://github.com/org/repo', isPinned: true }, policy);
  assert.match(problem?.hint ?? '', /--remote-base-hosts/);
});

test('a chart may only be at an allowed host, over https or in a registry', () => {
  const refused = (repoURL: string) => refuseChart({ repoURL, name: 'redis' }, { chartHosts: HOSTS })?.code;
  assert.equal(refused('https://charts.example.com/stable'), undefined);
  assert.equal(refused('oci://registry.example.com/charts'), undefined);
  assert.equal(refused('https://charts.test/stable'), 'Unsupported');
  assert.equal(refused('oci://registry.test/charts'), 'Unsupported');
  assert.equal(refused('alias:stable'), 'Unsupported');
});

test('a submodule is on the host of its parent, or on one that the settings name', () => {
  const policy = { submoduleHosts: HOSTS };
  const refused = (repoURL: string, parentURL: string) =>
    refuseSubmodule({ repoURL, parentURL, path: 'lib' }, policy)?.code;
  const parents = ['https://git.own.example/a.git', 'ssh://git@git.own.example:2222/a', 'git@git.own.example:a.git'];
  for (const parent of parents) {
    for (const same of ['https://git.own.example/b', 'git@git.own.example:b.git', 'http://GIT.own.example:8080/b']) {
      assert.equal(refused(same, parent), undefined, `${same} in ${parent}`);
    }
    for (const other of ['https://git.own.example.evil.example/b', 'git@other.example:b', 'https://own.example/b']) {
      assert.equal(refused(other, parent), 'Unsupported', `${other} in ${parent}`);
    }
  }
  assert.equal(refused('not an address', 'not an address'), 'Unsupported');
});
