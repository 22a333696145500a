import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StageError } from '../../../src/object/stage-error.ts';
import { parseRepositoryUrl } from '../../../src/source/repository-url.ts';

const REFUSED = [
  ['file:///etc', 'UnsupportedTransport'],
  ['ssh://git@example.com/a.git', 'UnsupportedTransport'],
  ['git@example.com:a.git', 'UnsupportedTransport'],
  ['git://example.com/a.git', 'UnsupportedTransport'],
  ['/etc', 'InvalidUrl'],
  ['https://example.com/a.git?token=geheim', 'InvalidUrl'],
  ['https://jo:geheim@example.com/a.git', 'CredentialsInUrl'],
  ['https://geheim@example.com/a.git', 'CredentialsInUrl'],
] as const;

for (const [address, code] of REFUSED) {
  test(`the repository address ${address.replaceAll('geheim', '…')} is refused for good as ${code}`, () => {
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
  assert.equal(
    parseRepositoryUrl('https://Example.com/a.git//').base,
    parseRepositoryUrl('https://example.com/a.git').base,
  );
});
