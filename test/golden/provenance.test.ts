/**
 * Compares the verification of charts with `helm verify`, for provenance files of `helm package --sign`. Where Tautline
 * is stricter than helm, the case says so.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { StageError } from '../../src/object/stage-error.ts';
import { verifyProvenance } from '../../src/source/signatures/provenance.ts';
import { parseChartVerification } from '../../src/source/verification.ts';
import { helmBinary } from '../control-plane/binaries.ts';
import { digestOf } from '../support/registry-server.ts';
import { pgpSigner, type PgpSigner } from '../support/signed-git.ts';

const root = mkdtempSync(join(tmpdir(), 'tautline-provenance-'));
let program = '';
let signer: PgpSigner;
let whole: Signed;
let changed: Signed;

before(async () => {
  program = await helmBinary();
  signer = await pgpSigner();
  whole = packageSigned(signer);
  changed = packageSigned(signer, 'a: 2\n');
});
after(() => rmSync(root, { recursive: true, force: true }));

interface Signed {
  readonly archive: Buffer;
  readonly provenance: string;
  readonly chartYaml: string;
}

function helm(args: readonly string[]): { readonly isDone: boolean; readonly stderr: string } {
  const environment = { HOME: root, HELM_CACHE_HOME: root, HELM_CONFIG_HOME: root, HELM_DATA_HOME: root };
  const { status, stderr } = spawnSync(program, args, { env: environment, encoding: 'utf8' });
  return { isDone: status === 0, stderr };
}

const CHART_YAML =
  'apiVersion: v2\nname: web\nversion: "1.0.0+build.1"\ndescription: "- a dash: # and colons  "\n' +
  'annotations:\n  example.com/text: |\n    one\n\n    - two\n    ...\n';

/** A chart that helm has packed and signed. */
function packageSigned(by: PgpSigner, values = 'a: 1\n'): Signed {
  const folder = mkdtempSync(join(root, 'chart-'));
  const chart = join(folder, 'web');
  mkdirSync(join(chart, 'templates'), { recursive: true });
  writeFileSync(join(chart, 'Chart.yaml'), CHART_YAML);
  writeFileSync(join(chart, 'values.yaml'), values);
  writeFileSync(join(folder, 'secret.gpg'), by.keyrings.secret);
  const keyring = join(folder, 'secret.gpg');
  const args = ['package', '--sign', '--key', 'Some One', '--keyring', keyring, '--destination', folder, chart];
  const { isDone, stderr } = helm(args);
  assert.ok(isDone, stderr);
  const archive = readFileSync(join(folder, FILE));
  return { archive, provenance: readFileSync(join(folder, `${FILE}.prov`), 'utf8'), chartYaml: CHART_YAML };
}

const FILE = 'web-1.0.0+build.1.tgz';

function helmVerifies({ archive, provenance }: Pick<Signed, 'archive' | 'provenance'>, by: PgpSigner, file = FILE) {
  const folder = mkdtempSync(join(root, 'verify-'));
  writeFileSync(join(folder, 'public.gpg'), by.keyrings.public);
  writeFileSync(join(folder, file), archive);
  writeFileSync(join(folder, `${file}.prov`), provenance);
  return helm(['verify', '--keyring', join(folder, 'public.gpg'), join(folder, file)]).isDone;
}

/** The code of the refusal, or the signer. */
async function verifiedHere({ archive, provenance, chartYaml }: Signed, by: PgpSigner): Promise<string> {
  const data = new Map([['keys', Buffer.from(by.publicKey)]]);
  const verification = parseChartVerification({ secret: 'team/keys', data }, 'spec.source.verify');
  const chart = { provenance, archiveDigest: digestOf(archive), chartYaml };
  const asked = { name: 'web', version: '1.0.0+build.1' };
  try {
    const options = { verification, label: 'the chart web', nowMs: Date.now() };
    return (await verifyProvenance({ ...chart, asked }, options)).name;
  } catch (error) {
    if (error instanceof StageError) return error.code;
    throw error;
  }
}

interface Case {
  readonly name: string;
  readonly chart: (signed: Signed) => Signed | Promise<Signed>;
  /** Default: the one that has signed. */
  readonly trusted?: () => Promise<PgpSigner>;
  /** Absent: the chart is accepted. */
  readonly code?: string;
  /** What helm says, where it is less strict. */
  readonly isAcceptedByHelm?: true;
}

const CASES: readonly Case[] = [
  { name: 'a chart as helm has signed it', chart: (signed) => signed },
  {
    name: 'line ends of CR and LF',
    chart: (signed) => ({ ...signed, provenance: signed.provenance.replaceAll('\n', '\r\n') }),
  },
  {
    name: 'blanks at the end of a line of the text, which no signature covers',
    chart: (signed) => ({ ...signed, provenance: signed.provenance.replace('name: web', 'name: web \t') }),
  },
  {
    name: 'an unknown key',
    chart: (signed) => signed,
    trusted: () => pgpSigner(),
    code: 'SignerUnknown',
  },
  {
    name: 'a changed text',
    chart: (signed) => ({ ...signed, provenance: signed.provenance.replace('colons', 'colour') }),
    code: 'SignatureAltered',
  },
  {
    name: 'a changed digest',
    chart: (signed) => ({ ...signed, provenance: signed.provenance.replace(/sha256:./, 'sha256:z') }),
    code: 'SignatureAltered',
  },
  {
    name: 'a changed signature',
    chart: (signed) => ({ ...signed, provenance: signed.provenance.replace(/(SIGNATURE-----\n\n.{30})./, '$1_') }),
    code: 'SignatureAltered',
  },
  {
    name: 'no signature',
    chart: (signed) => ({ ...signed, provenance: signed.provenance.replace(/-----BEGIN PGP SIGNATURE[^]*/, '') }),
    code: 'SignatureAltered',
  },
  { name: 'an empty file', chart: (signed) => ({ ...signed, provenance: '' }), code: 'SignatureUnsupported' },
  {
    name: 'another archive',
    chart: (signed) => ({ ...signed, archive: changed.archive }),
    code: 'DigestMismatch',
  },
  {
    name: 'the provenance file of another chart',
    chart: async (signed) => ({ ...signed, provenance: await signer.clearSign(textOf(signed, 'shop', '1.0.0')) }),
    code: 'SignatureRefused',
  },
  {
    name: 'a text without files',
    chart: async (signed) => ({ ...signed, provenance: await signer.clearSign('name: web\nversion: 1.0.0\n') }),
    code: 'SignatureUnsupported',
  },
  {
    name: 'a text before the message',
    chart: (signed) => ({ ...signed, provenance: `# signed\n${signed.provenance}` }),
    code: 'SignatureUnsupported',
    isAcceptedByHelm: true,
  },
  {
    name: 'a text behind the message',
    chart: (signed) => ({ ...signed, provenance: `${signed.provenance}\n# signed\n` }),
    code: 'SignatureAltered',
    isAcceptedByHelm: true,
  },
  {
    name: 'another Chart.yaml in the archive than in the signed text',
    chart: (signed) => ({ ...signed, chartYaml: 'name: web\nversion: 2.0.0\n' }),
    code: 'SignatureRefused',
    isAcceptedByHelm: true,
  },
];

function textOf({ archive }: Signed, name: string, version: string): string {
  return `name: ${name}\nversion: ${version}\n\n...\nfiles:\n  ${name}-${version}.tgz: ${digestOf(archive)}\n`;
}

for (const { name, chart, trusted, code, isAcceptedByHelm } of CASES) {
  test(`helm verify and Tautline agree, or Tautline is stricter: ${name}`, async () => {
    const signed = await chart(whole);
    const by = (await trusted?.()) ?? signer;
    assert.equal(await verifiedHere(signed, by), code ?? `Some One <someone@example.org> (${signer.keyId})`);
    assert.equal(helmVerifies(signed, by), code === undefined || isAcceptedByHelm === true);
  });
}

test('a key that has expired since verifies nothing, with helm as well', async () => {
  const short = await pgpSigner({ date: new Date(Date.now() - 3_600_000), validSeconds: 1800 });
  const signed = { ...whole, provenance: await short.clearSign(textOf(whole, 'web', '1.0.0+build.1')) };
  assert.equal(await verifiedHere(signed, short), 'SignerExpired');
  assert.equal(helmVerifies(signed, short), false);
});
