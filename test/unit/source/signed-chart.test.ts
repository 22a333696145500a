/** Charts with provenance files, from a Helm repository and a registry to the snapshot. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { parseChartVerification } from '../../../src/source/verification.ts';
import { chartEntries, tgzOf } from '../../support/archives.ts';
import { CHART_LAYER, MANIFEST, serveCharts, type RegistryServer } from '../../support/registry-server.ts';
import { provenanceOf, type ProvenanceText } from '../../support/signed-charts.ts';
import { pgpSigner, sshSigner, type PgpSigner, type TestSigner } from '../../support/signed-git.ts';
import { bring, startArtifacts } from './artifact-harness.ts';

const FIELD = 'spec.source.verify';

function verificationBy(...signers: readonly Pick<TestSigner, 'publicKey'>[]) {
  const data = new Map(signers.map(({ publicKey }, at) => [`key-${at}`, Buffer.from(publicKey)]));
  return parseChartVerification({ secret: 'team/keys', data }, FIELD);
}

interface Published {
  readonly version?: string;
  readonly archive: Buffer;
  readonly provenance: string | undefined;
}

interface Place {
  readonly kind: string;
  readonly publish: (registry: RegistryServer, chart: Published) => void;
  readonly repoUrlOf: (registry: RegistryServer) => string;
  /** Matches the path of the provenance file in a request. */
  readonly path: RegExp;
}

const PROVENANCE_LAYER = 'application/vnd.cncf.helm.chart.provenance.v1.prov';

const PLACES: readonly Place[] = [
  {
    kind: 'Helm repository',
    publish(registry, { version = '1.0.0', archive, provenance }) {
      serveCharts(registry, '/charts', [{ name: 'web', version, content: archive }]);
      if (provenance !== undefined) registry.putFile(`/charts/web-${version}.tgz.prov`, provenance);
    },
    repoUrlOf: ({ url }) => `${url}/charts`,
    path: /\.prov$/,
  },
  {
    kind: 'registry',
    publish(registry, { version = '1.0.0', archive, provenance }) {
      const config = Buffer.from('{}');
      const layerOf = (mediaType: string, content: Uint8Array) => {
        return { mediaType, digest: registry.putBlob(content), size: content.length };
      };
      registry.putManifest('charts/web', version, {
        schemaVersion: 2,
        mediaType: MANIFEST,
        config: layerOf('application/vnd.cncf.helm.config.v1+json', config),
        layers: [
          layerOf(CHART_LAYER, archive),
          ...(provenance === undefined ? [] : [layerOf(PROVENANCE_LAYER, Buffer.from(provenance))]),
        ],
      });
    },
    repoUrlOf: ({ host }) => `oci://${host}/charts`,
    path: /\/blobs\//,
  },
];

async function start(t: TestContext, { publish, repoUrlOf, path }: Place) {
  const harness = await startArtifacts(t);
  const signer = await pgpSigner();
  const archive = await tgzOf(chartEntries('web', '1.0.0'));
  const place = { repoUrl: repoUrlOf(harness.registry), chart: 'web', verification: verificationBy(signer) };
  const sign = (changes: Partial<ProvenanceText> = {}, by: Pick<PgpSigner, 'clearSign'> = signer) =>
    provenanceOf(by, { name: 'web', version: '1.0.0', archive, ...changes });
  return {
    ...{ ...harness, signer, archive, place, sign },
    publish: (provenance: string | undefined, changes: Partial<Published> = {}) =>
      publish(harness.registry, { archive, provenance, ...changes }),
    asked: () => harness.registry.requests.filter((request) => path.test(request.path)).length,
  };
}

for (const kind of PLACES) {
  test(`a signed chart of a ${kind.kind} is handed out with its signer`, async (t) => {
    const { source, place, sign, publish, signer, asked, reopen } = await start(t, kind);
    publish(await sign());
    const resolved = await source.poll(place);
    const snapshot = await source.fetch({ ...place, resolved });
    assert.equal(snapshot.about?.signer, `Some One <someone@example.org> (${signer.keyId})`);
    const before = asked();
    await source.fetch({ ...place, resolved });
    const recalled = await reopen().recall({ ...place, resolved });
    assert.equal(recalled?.about?.signer, snapshot.about?.signer);
    assert.equal(asked(), before, 'a verified chart is asked for again');
  });

  test(`a chart of a ${kind.kind} without, or with another, provenance file is refused by a reason of its own`, async (t) => {
    const { source, place, sign, publish, signer } = await start(t, kind);
    const signed = await sign();
    const other = await pgpSigner();
    const old = await pgpSigner({ date: new Date('2020-01-01T00:00:00Z'), validSeconds: 86_400 });
    const otherArchive = await tgzOf(chartEntries('web', '1.0.0', { 'values.yaml': 'a: 1\n' }));
    const refusals: readonly [provenance: string | undefined, code: string, message: RegExp, keys?: PgpSigner][] = [
      [undefined, 'NotSigned', /^Version 1\.0\.0 of .*has no provenance file.*helm package --sign.*team\/keys/],
      ['<html>', 'SignatureUnsupported', /no clear-signed text/],
      [await sign({}, other), 'SignerUnknown', /the OpenPGP key [0-9A-F]{16}, which is not in the Secret/],
      [await sign({}, old), 'SignerExpired', /has expired/, old],
      [signed.replace('apiVersion: v2', 'apiVersion: v1'), 'SignatureAltered', /altered/],
      [signed.replace('name: web', '-name: web'), 'SignatureAltered', /altered/],
      [`${signed}more`, 'SignatureAltered', /altered/],
      [await sign({ archive: otherArchive }), 'DigestMismatch', /another archive than the one that was signed/],
      [await sign({ version: '1.0.1' }), 'SignatureRefused', /web 1\.0\.1, and its own Chart\.yaml names web 1\.0\.0/],
      [await sign({ name: 'shop' }), 'SignatureRefused', /the chart shop 1\.0\.0/],
      [await sign({ file: 'other.tgz' }), 'SignatureRefused', /does not name web-1\.0\.0\.tgz/],
      [await signer.clearSign('text'), 'SignatureUnsupported', /another text/],
    ];
    for (const [provenance, code, message, keys] of refusals) {
      publish(provenance);
      const verification = keys ? verificationBy(keys) : place.verification;
      await assert.rejects(bring(source, { ...place, verification }), { code, message }, code);
    }
    publish(signed);
    assert.ok((await bring(source, place)).about?.signer);
  });

  test(`a signed chart of a ${kind.kind} is refused under another version`, async (t) => {
    const { source, place, sign, publish } = await start(t, kind);
    publish(await sign(), { version: '2.0.0' });
    await assert.rejects(bring(source, place), { code: 'TagReplayed', message: /^Version 2\.0\.0 .*web 1\.0\.0/ });
    publish(await sign());
    const resolved = await source.poll({ ...place, revision: '1.0.0', notBeforeMs: performance.now() });
    assert.ok(await source.fetch({ ...place, resolved }));
  });

  test(`a chart of a ${kind.kind} that other keys verified, or that was fetched without keys, does not count`, async (t) => {
    const { source, place, sign, publish, reopen } = await start(t, kind);
    const { verification: _, ...open } = place;
    publish(undefined);
    await bring(source, open);
    await assert.rejects(bring(source, place), { code: 'NotSigned' });
    publish(await sign());
    const resolved = await source.poll(place);
    await source.fetch({ ...place, resolved });
    const others = { ...place, verification: verificationBy(await pgpSigner()) };
    await assert.rejects(reopen().recall({ ...others, resolved }), { code: 'SignerUnknown' });
    await assert.rejects(source.fetch({ ...others, resolved }), { code: 'SignerUnknown' });
    assert.equal((await bring(source, open)).about?.signer, undefined);
  });
}

test('a provenance file beyond its bound is refused, and one that the server does not hand out is no missing one', async (t) => {
  const [repository] = PLACES as readonly [Place];
  const { registry, place, sign, publish, reopen } = await start(t, repository);
  publish(await sign());
  const bounded = reopen({ maxSignatureBytes: 100 });
  await assert.rejects(bring(bounded, place), { code: 'TooLarge', message: /maxSignatureBytes/ });
  registry.intercept = ({ url }, response) => {
    if (url?.endsWith('.prov') !== true) return false;
    response.writeHead(503).end();
    return true;
  };
  await assert.rejects(bring(reopen(), place), { code: 'ServerError' });
});

test('an artifact that is no chart, and a Git repository, have no provenance file', async (t) => {
  const { registry, source, oci } = await startArtifacts(t);
  registry.push('app', 'latest', { content: await tgzOf([{ name: 'a.yaml', data: 'one' }]) });
  const verification = verificationBy(await pgpSigner());
  await assert.rejects(bring(source, { repoUrl: `${oci}/app`, verification }), { code: 'SignatureUnsupported' });
  const git = { repoUrl: `${registry.url}/a.git`, verification };
  await assert.rejects(bring(source, git), { code: 'SignatureUnsupported', message: /signatures of helm/ });
});

test('a Secret without a key of OpenPGP is refused by name', () => {
  const read = (text: string) =>
    parseChartVerification({ secret: 'team/keys', data: new Map([['keys', Buffer.from(text)]]) }, FIELD);
  assert.throws(() => read(sshSigner().publicKey), { code: 'InvalidSecret', message: /team\/keys .*OpenPGP/ });
  assert.throws(() => read('text'), { code: 'InvalidSecret' });
  assert.throws(() => parseChartVerification({ secret: 'team/keys', data: new Map() }, FIELD), {
    code: 'InvalidSecret',
  });
});
