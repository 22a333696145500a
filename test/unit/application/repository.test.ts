/** Addresses that name the same repository, and revisions that a push affects. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalRepository, isSameRepository } from '../../../src/application/repository.ts';

const SAME: readonly (readonly [string, string])[] = [
  ['https://git.example.com/team/shop', 'https://git.example.com/team/shop.git'],
  ['https://git.example.com/team/shop/', 'https://git.example.com/team/shop'],
  ['https://GIT.example.com/team/shop', 'https://git.example.com/team/shop'],
  ['https://git.example.com:443/team/shop', 'http://git.example.com:80/team/shop'],
  ['https://me:word@git.example.com/team/shop', 'https://git.example.com/team/shop'],
  ['git@git.example.com:team/shop.git', 'https://git.example.com/team/shop'],
  ['git.example.com:team/shop', 'https://git.example.com/team/shop'],
  ['git@git.example.com:/team/shop.git', 'ssh://git@git.example.com/team/shop'],
  ['ssh://git@git.example.com:2222/team/shop.git', 'https://git.example.com/team/shop.git'],
  ['git+ssh://git@git.example.com/team/shop', 'https://git.example.com/team/shop'],
  ['git://git.example.com/team/shop.git', 'https://git.example.com/team/shop'],
  ['https://git.example.com/Team/Shop', 'https://git.example.com/team/shop'],
  ['https://git.example.com/gr%C3%B6%C3%9Fe/shop', 'https://git.example.com/größe/shop'],
  ['ssh://git@ssh.github.com:443/team/shop.git', 'https://github.com/team/shop'],
  ['ssh://git@altssh.gitlab.com:443/team/shop.git', 'https://gitlab.com/team/shop'],
  ['git@ssh.dev.azure.com:v3/org/Project%20A/shop', 'https://org@dev.azure.com/org/Project%20A/_git/shop'],
  ['org@vs-ssh.visualstudio.com:v3/org/project/shop', 'https://org.visualstudio.com/project/_git/shop'],
  ['https://org.visualstudio.com/DefaultCollection/project/_git/shop', 'https://dev.azure.com/org/project/_git/shop'],
  ['https://dev.azure.com/org/_git/shop', 'git@ssh.dev.azure.com:v3/org/shop/shop'],
  ['ssh://git@git.example.com:7999/team/shop.git', 'https://git.example.com/scm/team/shop.git'],
  ['git@[::1]:team/shop', 'https://[::1]/team/shop'],
];

for (const [a, b] of SAME) {
  test(`${a} and ${b} are the same repository`, () => assert.ok(isSameRepository(a, b)));
}

const DIFFERENT: readonly (readonly [string, string])[] = [
  ['https://git.example.com/team/shop', 'https://git.example.com/team/shop2'],
  ['https://git.example.com/team/shop', 'https://git.example.org/team/shop'],
  ['https://git.example.com/team/shop', 'https://git.example.com/shop'],
  ['https://git.example.com:8443/team/shop', 'https://git.example.com/team/shop'],
  ['https://git.example.com/team/shop.git.git', 'https://git.example.com/team/shop'],
  ['', ''],
  ['https://git.example.com/', 'https://git.example.com/'],
  ['/srv/git/shop', '/srv/git/shop'],
  ['file:///srv/git/shop', 'file:///srv/git/shop'],
  [`https://a/${'x'.repeat(3000)}`, `https://a/${'x'.repeat(3000)}`],
];

for (const [a, b] of DIFFERENT) {
  test(`'${a.slice(0, 60)}' and '${b.slice(0, 60)}' are not the same repository`, () =>
    assert.equal(isSameRepository(a, b), false));
}

const name = fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,9}$/);

test('every form of an address has the same canonical form, for all hosts and paths', () => {
  const host = fc.domain();
  fc.assert(
    fc.property(host, fc.array(name, { minLength: 1, maxLength: 4 }), fc.nat(65_534), (at, parts, port) => {
      const path = parts.join('/');
      const forms = [
        `https://${at}/${path}`,
        `https://${at.toUpperCase()}/${path}.git`,
        `http://someone:secret@${at}/${path}/`,
        `ssh://git@${at}:${port + 1}/${path}.git/`,
        `git@${at}:${path}.git`,
        `https://${at}//${path.toUpperCase()}`,
      ];
      const [first, ...rest] = forms.map(canonicalRepository);
      assert.ok(first?.endsWith(`/${path}`));
      for (const other of rest) assert.equal(other, first);
      assert.notEqual(canonicalRepository(`https://${at}/${path}/more`), first);
    }),
  );
});

test('no text makes canonicalRepository throw', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void canonicalRepository(text)));
  fc.assert(fc.property(fc.webUrl(), (text) => void canonicalRepository(text)));
  assert.equal(canonicalRepository('https://host/%zz'), 'host/%zz');
});
