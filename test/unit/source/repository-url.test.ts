import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StageError } from '../../../src/object/stage-error.ts';
import { parseRepositoryUrl } from '../../../src/source/repository-url.ts';

const REFUSED = [
  ['file:///etc', 'UnsupportedTransport'],
  ['git://example.com/a.git', 'UnsupportedTransport'],
  ['/etc', 'InvalidUrl'],
  ['https://example.com/a.git?token=geheim', 'InvalidUrl'],
  ['https://jo:geheim@example.com/a.git', 'CredentialsInUrl'],
  ['https://geheim@example.com/a.git', 'CredentialsInUrl'],
  ['ssh://git:geheim@example.com/a.git', 'CredentialsInUrl'],
  ['ssh://git@example.com', 'InvalidUrl'],
  ['ssh://git@example.com/', 'InvalidUrl'],
  ['ssh://git@/a.git', 'InvalidUrl'],
  ['ssh://-oProxyCommand=x/a.git', 'InvalidUrl'],
  ['ssh://git@example.com:0/a.git', 'InvalidUrl'],
  ['ssh://git@example.com:70000/a.git', 'InvalidUrl'],
  ['ssh://-x@example.com/a.git', 'InvalidUrl'],
  ['ssh://git@example.com/a.git?x', 'InvalidUrl'],
  ['ssh://git@example.com/a%0ab', 'InvalidUrl'],
  ['git@example.com:-x', 'InvalidUrl'],
  ['git@example.com:', 'InvalidUrl'],
  ['git@-x:a.git', 'InvalidUrl'],
  ['git@example.com:a\nb', 'InvalidUrl'],
] as const;

for (const [address, code] of REFUSED) {
  test(`the repository address ${JSON.stringify(address.replaceAll('geheim', '…'))} is refused for good as ${code}`, () => {
    assert.throws(
      () => parseRepositoryUrl(address),
      (error: unknown) => {
        assert.ok(error instanceof StageError);
        assert.deepEqual([error.code, error.retry], [code, 'never']);
        assert.doesNotMatch(error.message, /geheim/);
        return true;
      },
    );
  });
}

test('slashes at the end of a repository address make no difference', () => {
  for (const address of ['https://example.com/a.git', 'ssh://git@example.com/a.git', 'git@example.com:a.git']) {
    assert.deepEqual(parseRepositoryUrl(`${address}//`), parseRepositoryUrl(address));
  }
});

test('an address by ssh is read as git reads it, and the scp form keeps its path as it is written', () => {
  const cases = [
    ['ssh://example.com/a/b.git', { user: 'git', host: 'example.com', port: 22, path: '/a/b.git' }],
    ['ssh://Jo@Example.com:2222/a%20b', { user: 'Jo', host: 'example.com', port: 2222, path: '/a b' }],
    ['ssh://git@[::1]:22/~jo/a', { user: 'git', host: '::1', port: 22, path: '~jo/a' }],
    ['ssh://git@127.1/a', { user: 'git', host: '127.0.0.1', port: 22, path: '/a' }],
    ['git@example.com:team/a.git', { user: 'git', host: 'example.com', port: 22, path: 'team/a.git' }],
    ['git@example.com:/srv/a%20b.git', { user: 'git', host: 'example.com', port: 22, path: '/srv/a%20b.git' }],
    ['org-1@github.com:2222/a', { user: 'org-1', host: 'github.com', port: 22, path: '2222/a' }],
    ['git@[::1]:a', { user: 'git', host: '::1', port: 22, path: 'a' }],
  ] as const;
  for (const [address, ssh] of cases) {
    const parsed = parseRepositoryUrl(address);
    assert.deepEqual([parsed.ssh, parsed.base, parsed.label], [ssh, address, address]);
  }
});
