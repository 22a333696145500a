/** The real registry of the CNCF: artifacts and charts are pushed as clients push them, and become snapshots. */
import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { test } from 'node:test';
import { parseVerification } from '../../../src/source/verification.ts';
import { chartEntries, tgzOf } from '../../support/archives.ts';
import { startRealRegistry } from '../../support/real-registry.ts';
import { CHART_LAYER, digestOf } from '../../support/registry-server.ts';
import { pushSignature, type Blobs } from '../../support/signatures.ts';
import { useStarted } from '../../support/use-world.ts';
import { bring, readText, startArtifacts } from '../../unit/source/artifact-harness.ts';

const registry = useStarted('the registry', startRealRegistry);

test('tags, ranges and digests of artifacts and charts of a real registry become snapshots', async (t) => {
  const { source } = await startArtifacts(t);
  const place = { repoUrl: `oci://${registry.host}/team/app` };
  const digests = new Map<string, string>();
  for (const version of ['1.0.0', '1.1.0', '2.0.0-rc.1']) {
    digests.set(version, await registry.push('team/app', version, await tgzOf([{ name: 'a.yaml', data: version }])));
  }
  for (const revision of ['1.1.0', 'semver:1.x', digests.get('1.1.0')]) {
    const snapshot = await bring(source, place, revision);
    assert.equal(`sha256:${snapshot.commit}`, digests.get('1.1.0'));
    assert.equal(readText(snapshot.tree, 'a.yaml'), '1.1.0');
  }
  await assert.rejects(source.poll({ ...place, revision: '9.9.9' }), { code: 'RevisionNotFound' });
  await assert.rejects(source.poll({ repoUrl: `oci://${registry.host}/none`, revision: 'semver:1.x' }), {
    code: 'RepositoryNotFound',
    message: /NAME_UNKNOWN/,
  });

  await registry.push('charts/web', '1.0.0_b', await tgzOf(chartEntries('web', '1.0.0+b')), CHART_LAYER);
  const chart = await bring(source, { repoUrl: `oci://${registry.host}/charts`, chart: 'web' }, '^1');
  assert.match(readText(chart.tree, 'Chart.yaml'), /version: 1\.0\.0\+b/);
  assert.match(chart.revision, /^1\.0\.0\+b@sha256:/);
});

for (const layout of ['simple', 'bundle'] as const) {
  test(`signatures are found in a real registry (${layout})`, async (t) => {
    const { source } = await startArtifacts(t);
    const name = `signed/${layout}`;
    const digest = await registry.push(name, 'latest', await tgzOf([{ name: 'a.yaml', data: layout }]));
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = Buffer.from(publicKey.export({ type: 'spki', format: 'pem' }));
    const verification = parseVerification({ secret: 'team/keys', data: new Map([['cosign.pub', pem]]) });
    const place = { repoUrl: `oci://${registry.host}/${name}`, verification };
    await assert.rejects(bring(source, place), { code: 'NotSigned' });

    const pushed: Promise<unknown>[] = [];
    let last: Promise<unknown> = Promise.resolve();
    const inTurn = (work: () => Promise<unknown>): void => {
      last = last.then(work);
      pushed.push(last);
    };
    const recorder: Blobs = {
      putBlob(content) {
        inTurn(() => registry.pushBlob(name, content));
        return digestOf(content);
      },
      putManifest(_name, tag, manifest, mediaType) {
        const stored = digestOf(Buffer.from(JSON.stringify(manifest)));
        inTurn(() => registry.pushManifest(name, tag ?? stored, manifest, mediaType));
        return stored;
      },
    };
    pushSignature(recorder, { name, digest, layout, sign: (bytes) => sign('sha256', bytes, privateKey) });
    await Promise.all(pushed);
    assert.equal(readText((await bring(source, place)).tree, 'a.yaml'), layout);
  });
}
