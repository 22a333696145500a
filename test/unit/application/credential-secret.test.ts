/** The choice of the Secret that fits the address of a repository. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { secretsFor, type LabelledSecret, type WantedAddress } from '../../../src/application/credential-secret.ts';

const OWN = 'tautline.dev/secret-type';
const ARGO = 'argocd.argoproj.io/secret-type';

function secret(url: string, more: Partial<LabelledSecret> = {}): LabelledSecret {
  return { name: url, label: OWN, type: 'repo-creds', url, keys: ['url', 'username', 'password'], ...more };
}

function chosen(wanted: string | WantedAddress, ...secrets: readonly (string | LabelledSecret)[]): string | undefined {
  const named = typeof wanted === 'string' ? { repoURL: wanted } : wanted;
  const all = secrets.map((one) => (typeof one === 'string' ? secret(one) : one));
  return secretsFor(named, all)[0]?.name;
}

const FITS: readonly (readonly [string, string])[] = [
  ['https://git.example.com/team/shop.git', 'https://git.example.com'],
  ['https://git.example.com/team/shop.git', 'https://git.example.com/team/'],
  ['https://git.example.com/team/shop.git', 'https://GIT.example.com:443/Team/shop'],
  ['https://git.example.com/team/shop', 'https://git.example.com/team/shop.git'],
  ['https://git.example.com/team/shop', 'https://someone@git.example.com/team'],
  ['git@git.example.com:team/shop.git', 'ssh://git@git.example.com/team'],
  ['ssh://git@git.example.com:22/team/shop.git', 'git@git.example.com:team'],
  ['ssh://git.example.com:2222/team/shop', 'ssh://git.example.com:2222'],
  ['oci://registry.example.com:5000/team/shop', 'oci://registry.example.com:5000/team'],
  ['http://127.0.0.1:3000/a', 'http://127.0.0.1:3000'],
];

for (const [address, url] of FITS) {
  test(`${url} fits ${address}`, () => assert.equal(chosen(address, url), url));
}

const FITS_NOT: readonly (readonly [string, string])[] = [
  ['https://git.example.com/team-b/shop', 'https://git.example.com/team'],
  ['https://git.example.com/team/../other/shop', 'https://git.example.com/team'],
  ['https://git.example.com/team/%2e%2e/other/shop', 'https://git.example.com/team'],
  ['https://git.example.com/team%2f..%2fother/shop', 'https://git.example.com/team'],
  ['https://git.example.com/team', 'https://git.example.com/team/shop'],
  ['https://git.example.com.evil.example/team/shop', 'https://git.example.com'],
  ['https://evil.example/git.example.com/team', 'https://git.example.com'],
  ['https://git.example.com@evil.example/team', 'https://git.example.com'],
  ['http://git.example.com/team/shop', 'https://git.example.com'],
  ['https://git.example.com/team/shop', 'http://git.example.com'],
  ['https://git.example.com:8443/team/shop', 'https://git.example.com'],
  ['git@git.example.com:team/shop', 'https://git.example.com/team'],
  ['https://git.example.com/team/shop', 'ssh://git@git.example.com/team'],
  ['https://git.example.com/team/shop', ''],
  ['https://git.example.com/team/shop', 'git.example.com'],
  ['https://git.example.com/team/shop', '/team'],
  ['https://git.example.com/team/shop', 'https://.example.com'],
  ['https://git.example.com/team/shop', 'https://*.example.com'],
  ['https://git.example.com/team/shop', 'https://git.example.com?x'],
  ['no address', 'https://git.example.com'],
];

for (const [address, url] of FITS_NOT) {
  test(`${JSON.stringify(url)} does not fit ${address}`, () => assert.equal(chosen(address, url), undefined));
}

test('the longest path wins, whatever the order', () => {
  const urls = ['https://h/a', 'https://h', 'https://h/a/b', 'https://h/a/b/c/d'];
  for (const order of [urls, urls.toReversed()]) assert.equal(chosen('https://h/a/b/c', ...order), 'https://h/a/b');
});

test('a Secret for one repository is for that repository alone, and comes before a prefix of the same length', () => {
  const one = secret('https://h/a/b.git', { name: 'one', type: 'repository', label: ARGO });
  assert.equal(chosen('https://h/a/b', secret('https://h/a/b', { name: 'prefix' }), one), 'one');
  assert.equal(chosen('https://h/a/b/c', one), undefined);
});

test('the label of Tautline wins among equal Secrets, then the first by name', () => {
  const argo = secret('https://h', { name: 'a', label: ARGO });
  const [second, first] = [secret('https://h', { name: 'c' }), secret('https://h', { name: 'b' })];
  assert.equal(chosen('https://h/x', argo, second, first), 'b');
});

test('a Secret of Argo CD that only declares a repository leaves it to the credentials of a prefix', () => {
  const keys = ['url', 'type', 'name', 'project', 'insecure'];
  const declared = secret('https://h/a/b', { name: 'declared', type: 'repository', label: ARGO, keys });
  assert.equal(chosen('https://h/a/b', declared, secret('https://h/a', { name: 'creds', label: ARGO })), 'creds');
});

test('a registry of Argo CD without a scheme, and a chart in a registry, are found', () => {
  const keys = ['url', 'type', 'enableOCI', 'username', 'password'];
  const registry = secret('registry.example.com:5000/charts', { label: ARGO, type: 'repository', keys });
  const wanted = { repoURL: 'oci://registry.example.com:5000/charts', chart: 'web' };
  assert.equal(chosen(wanted, registry), registry.url);
  assert.equal(chosen(wanted, `${wanted.repoURL}/web`), `${wanted.repoURL}/web`);
  assert.equal(chosen(wanted, `${wanted.repoURL}/we`), undefined);
});

test('a Secret that fits is on the same host, and its path is a prefix of whole segments', () => {
  const segment = fc.constantFrom('a', 'b', 'ab', 'A', '..', '.', '%2e%2e', 'a%2fb', '', 'a.git');
  const address = fc
    .tuple(
      fc.constantFrom('https://h', 'https://h.x', 'http://h', 'https://h:8443'),
      fc.array(segment, { maxLength: 4 }),
    )
    .map(([origin, path]) => [origin, ...path].join('/'));
  fc.assert(
    fc.property(address, address, (wanted, url) => {
      if (chosen(wanted, url) === undefined) return;
      const [one, other] = [new URL(wanted), new URL(url)];
      assert.equal(one.origin, other.origin);
      const segments = (path: string): string[] => {
        const kept: string[] = [];
        for (const part of decodeURIComponent(path)
          .toLowerCase()
          .replace(/\/+$/, '')
          .replace(/\.git$/, '')
          .split('/')) {
          if (part === '..') kept.pop();
          else if (part !== '' && part !== '.') kept.push(part);
        }
        return kept;
      };
      const prefix = segments(other.pathname);
      assert.deepEqual(segments(one.pathname).slice(0, prefix.length), prefix);
    }),
    { numRuns: 2000 },
  );
});
