/** Secrets with keys of age, as Flux stores them: every line is a key, and a refusal shows none. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readAgeKeys } from '../../../src/sops/age-keys.ts';
import { decodeBech32, encodeBech32 } from '../../../src/sops/bech32.ts';
import { ageKey } from '../../support/sealed-files.ts';

/** From the documentation of age. */
const KNOWN = {
  private: 'AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX',
  public: 'age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj',
};

function read(data: Record<string, string>) {
  return readAgeKeys(new Map(Object.entries(data).map(([name, value]) => [name, Buffer.from(value)])));
}

test('the public key of a private one is found', () => {
  const found = read({ 'age.agekey': `# created: today\n# public key: age1x\n${KNOWN.private}\n` });
  assert.deepEqual(found, { ok: true, keys: { text: `${KNOWN.private}\n`, recipients: [KNOWN.public] } });
});

test('all keys count: those under .agekey, and those under any other name', () => {
  const [a, b, c] = [ageKey(), ageKey(), ageKey()];
  const found = read({
    'a.agekey': a.private,
    'b.agekey': `${b.private}\r\n${a.private}`,
    'keys.txt': c.private,
    x: 'y',
  });
  assert.ok(found.ok);
  assert.deepEqual([...found.keys.recipients].sort(), [a, b, c].map((key) => key.public).sort());
});

test('a Secret without a usable key is refused, and the refusal shows no value', () => {
  const damaged = KNOWN.private.replace('GFPYY', 'GFPYX');
  const cases: [Record<string, string>, RegExp][] = [
    [{}, /holds no private key of age under a name that ends in \.agekey/],
    [{ 'identity.asc': 'PGP' }, /holds no private key of age/],
    [{ 'a.agekey': '# only a comment\n' }, /holds no private key of age/],
    [{ 'a.agekey': `${KNOWN.private}\n${damaged}` }, /under a\.agekey in line 2/],
    [{ 'a.agekey': 'AGE-PLUGIN-YUBIKEY-1QQQ' }, /under a\.agekey in line 1/],
    [{ 'a.agekey': 'hunter2' }, /under a\.agekey in line 1/],
    [{ 'a.agekey': `${KNOWN.private}\n`.repeat(2000) }, /more than 64 KiB/],
  ];
  for (const [data, expected] of cases) {
    const found = read(data);
    assert.ok(!found.ok);
    assert.match(found.problem, expected);
    assert.doesNotMatch(found.problem, /GFPY|hunter2|YUBIKEY/);
  }
});

test('Bech32 decodes what it encodes, and one changed character is found', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64, size: 'max' }), fc.nat(), (bytes, at) => {
      const text = encodeBech32('age', bytes);
      assert.deepEqual(decodeBech32('age', text), Uint8Array.from(bytes));
      assert.deepEqual(decodeBech32('age', text.toUpperCase()), Uint8Array.from(bytes));
      const place = 4 + (at % (text.length - 4));
      const other = text[place] === 'q' ? 'p' : 'q';
      assert.equal(decodeBech32('age', text.slice(0, place) + other + text.slice(place + 1)), undefined);
    }),
  );
});
