/** Sealed files are told from plain ones by their content, and their recipients are read before anything is opened. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readSealed } from '../../../../src/render/sealed/sealed-file.ts';
import { LIMITS } from '../memory-tree.ts';

function read(text: string, name = 'a.yaml') {
  return readSealed(Buffer.from(text), name, LIMITS);
}

const AGE = 'age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj';
const MAC = 'ENC[AES256_GCM,data:x,iv:x,tag:x,type:str]';
const SOPS = `sops:\n    age:\n        - recipient: ${AGE}\n          enc: x\n    mac: ${MAC}\n    version: 3.13.3\n`;
const ALONE = { recipients: [{ kind: 'age', name: AGE }] };

test('each form of SOPS is recognised by its content', () => {
  const metadata = { age: [{ recipient: AGE, enc: 'x' }], mac: MAC };
  const flat = `age__list_0__map_recipient=${AGE}\nsops_age__list_0__map_enc=x\n`;
  const cases: [string, string, string][] = [
    ['yaml', 'a.yaml', `a: ${MAC}\n${SOPS}`],
    ['yaml', 'a', `---\na: ${MAC}\n${SOPS}`],
    ['yaml', 'a.yaml', `a: x\n"sops": {age: {recipient: ${AGE}}, 'mac': "${MAC}"}\n`],
    ['json', 'a.json', JSON.stringify({ a: MAC, sops: metadata })],
    ['json', 'a.json', JSON.stringify({ data: MAC, sops: metadata })],
    ['json', 'a', JSON.stringify({ data: { x: MAC }, sops: metadata })],
    ['binary', 'a.p12', JSON.stringify({ data: MAC, sops: metadata }, null, 2)],
    ['dotenv', 'a.env', `A=${MAC}\nsops_${flat}sops_mac=${MAC}\n`],
    ['dotenv', 'a', `A=${MAC}\r\nsops_${flat}sops_mac=${MAC}\r\n`],
    ['ini', 'a.ini', `[a]\nx = y\n\n[sops]\nage__list_0__map_recipient = ${AGE}\nmac = ${MAC}\n`],
  ];
  for (const [format, name, text] of cases) assert.deepEqual(read(text, name), { format, ...ALONE }, text);
});

test('a plain text is no sealed file, even if it speaks of SOPS', () => {
  const cases = [
    '',
    'a: b\n',
    'sops: true\nmac: 02:42\n',
    `note: the file has the keys sops: and mac: with ${MAC}\n`,
    `kind: ConfigMap\ndata:\n  doc: |\n    sops:\n        mac: ${MAC}\n`,
    `a: ${MAC}\n`,
    `a: ${MAC}\nsops: {}\n`,
    `- sops:\n    mac: ${MAC}\n`,
    '\0\u0001ENC[sops',
  ];
  for (const text of cases) assert.equal(read(text), undefined, text);
});

test('every recipient of a key group and of a later document is found', () => {
  const groups = SOPS.replace(
    / {4}age:\n(?: {8}.*\n)+/,
    '    key_groups:\n        - age:\n            - recipient: a\n          kms:\n            - arn: b\n',
  );
  assert.deepEqual(read(groups), {
    format: 'yaml',
    recipients: [
      { kind: 'age', name: 'a' },
      { kind: 'kms', name: 'b' },
    ],
  });
  const later = read(`a: b\n${SOPS}---\nc: d\n${SOPS.replace('age:', 'gcp_kms:').replace('recipient', 'resource_id')}`);
  assert.deepEqual(later, { format: 'yaml', recipients: [ALONE.recipients[0], { kind: 'gcp_kms', name: AGE }] });
  const flat = 'sops_key_groups__list_0__map_hc_vault__list_0__map_vault_address=http://x\n';
  assert.deepEqual(read(`${flat}sops_mac=${MAC}\n`), {
    format: 'dotenv',
    recipients: [{ kind: 'hc_vault', name: 'http://x' }],
  });
});

test('metadata that cannot be read makes a sealed file malformed, never plain', () => {
  const cases: [string, RegExp][] = [
    [`a: [\n${SOPS}`, /not valid YAML/],
    [`a: b\n${SOPS}${SOPS}`, /not valid YAML/],
    [`a: b\n${SOPS}    vault: []\n`, /unknown key vault/],
    [`a: b\n${SOPS}    "AGE": []\n`, /unknown key AGE/],
    [`a: b\nsops:\n    mac: ${MAC}\n`, /names no recipient/],
    [`A=b\nsops_mac=${MAC}\n`, /names no recipient/],
    [`A=b\nsops_kmſ__list_0__map_arn=x\nsops_mac=${MAC}\n`, /unknown key/],
    [`[sops]\nkms__list_0__map_arn : x\nKMS : y\nmac = ${MAC}\n`, /unknown key KMS/],
  ];
  for (const [text, expected] of cases) {
    const found = read(text);
    assert.ok(found && 'malformed' in found, text);
    assert.match(found.malformed, expected);
  }
});

test('ten megabytes of comments hide neither the seal nor the recipients', () => {
  const comments = '# sops: mac: ENC[ a comment that speaks of the seal\n'.repeat(200_000);
  assert.ok(comments.length > 10_000_000);
  assert.deepEqual(read(`a: ${MAC}\n${comments}${SOPS}`), { format: 'yaml', ...ALONE });
  const flat = `sops_age__list_0__map_recipient=${AGE}\nsops_age__list_0__map_enc=x\nsops_mac=${MAC}\n`;
  assert.deepEqual(read(`${comments}A=${MAC}\n${flat}`, 'a.env'), { format: 'dotenv', ...ALONE });
  assert.equal(read(comments), undefined);
});

test('no text makes the reading fail', () => {
  const piece = fc.constantFrom(
    'sops',
    ':',
    ' ',
    '\n',
    'mac',
    'ENC[',
    '{',
    '}',
    '"',
    '[sops]',
    '=',
    '- ',
    'age',
    'sops_mac=',
    '\t',
    '&a ',
    '*a',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60, size: 'max' }), (pieces) => {
      read(pieces.join(''));
      read(`ENC[sops${pieces.join('')}`);
    }),
    { numRuns: 1000 },
  );
});
