/** The real registry of the CNCF: artifacts and charts are pushed as clients push them, and become snapshots. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import { parseVerification } from '../../../src/source/verification.ts';
import { registryBinary } from '../../control-plane/binaries.ts';
import { freePort } from '../../control-plane/components.ts';
import { chartEntries, tgzOf } from '../../support/archives.ts';
import { CHART_LAYER, digestOf, FLUX_LAYER, MANIFEST } from '../../support/registry-server.ts';
import { pushSignature, type Blobs } from '../../support/signatures.ts';
import { useStarted } from '../../support/use-world.ts';
import { bring, readText, startArtifacts } from '../../unit/source/artifact-harness.ts';

interface RealRegistry extends AsyncDisposable {
  readonly host: string;
}

const registry = useStarted('the registry', async (): Promise<RealRegistry> => {
  const folder = await mkdtempDisposable(join(tmpdir(), 'tautline-registry-'));
  const host = `127.0.0.1:${await freePort()}`;
  const config = join(folder.path, 'config.yml');
  const storage = { filesystem: { rootdirectory: join(folder.path, 'data') } };
  await writeFile(config, JSON.stringify({ version: '0.1', log: { level: 'error' }, storage, http: { addr: host } }));
  const child = spawn(await registryBinary(), ['serve', config], {
    stdio: 'ignore',
    env: { OTEL_TRACES_EXPORTER: 'none' },
  });
  const ended = new Promise<void>((resolve) => void child.once('exit', () => resolve()));
  while (!(await answers(host))) {
    assert.equal(child.exitCode, null, 'the registry has ended');
    await sleep(100);
  }
  return {
    host,
    async [Symbol.asyncDispose]() {
      child.kill();
      await ended;
      await folder[Symbol.asyncDispose]();
    },
  };
});

async function answers(host: string): Promise<boolean> {
  try {
    const { statusCode, body } = await request(`http://${host}/v2/`);
    await body.dump();
    return statusCode === 200;
  } catch {
    return false;
  }
}

async function pushBlob(name: string, content: Uint8Array): Promise<void> {
  const begun = await request(`http://${registry.host}/v2/${name}/blobs/uploads/`, { method: 'POST' });
  await begun.body.dump();
  const location = new URL(String(begun.headers.location), `http://${registry.host}`);
  location.searchParams.set('digest', digestOf(content));
  const put = await request(location, { method: 'PUT', body: Buffer.from(content) });
  assert.equal(put.statusCode, 201, await put.body.text());
}

async function pushManifest(name: string, reference: string, manifest: unknown, mediaType = MANIFEST): Promise<string> {
  const body = Buffer.from(JSON.stringify(manifest));
  const url = `http://${registry.host}/v2/${name}/manifests/${reference}`;
  const put = await request(url, { method: 'PUT', body, headers: { 'content-type': mediaType } });
  assert.equal(put.statusCode, 201, await put.body.text());
  return digestOf(body);
}

async function push(name: string, tag: string, content: Uint8Array, mediaType = FLUX_LAYER): Promise<string> {
  const config = Buffer.from('{}');
  await pushBlob(name, config);
  await pushBlob(name, content);
  return pushManifest(name, tag, {
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: { mediaType: 'application/vnd.oci.empty.v1+json', digest: digestOf(config), size: config.length },
    layers: [{ mediaType, digest: digestOf(content), size: content.length }],
  });
}

test('tags, ranges and digests of artifacts and charts of a real registry become snapshots', async (t) => {
  const { source } = await startArtifacts(t);
  const place = { repoUrl: `oci://${registry.host}/team/app` };
  const digests = new Map<string, string>();
  for (const version of ['1.0.0', '1.1.0', '2.0.0-rc.1']) {
    digests.set(version, await push('team/app', version, await tgzOf([{ name: 'a.yaml', data: version }])));
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

  await push('charts/web', '1.0.0_b', await tgzOf(chartEntries('web', '1.0.0+b')), CHART_LAYER);
  const chart = await bring(source, { repoUrl: `oci://${registry.host}/charts`, chart: 'web' }, '^1');
  assert.match(readText(chart.tree, 'Chart.yaml'), /version: 1\.0\.0\+b/);
  assert.match(chart.revision, /^1\.0\.0\+b@sha256:/);
});

for (const layout of ['simple', 'bundle'] as const) {
  test(`signatures are found in a real registry (${layout})`, async (t) => {
    const { source } = await startArtifacts(t);
    const name = `signed/${layout}`;
    const digest = await push(name, 'latest', await tgzOf([{ name: 'a.yaml', data: layout }]));
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
        inTurn(() => pushBlob(name, content));
        return digestOf(content);
      },
      putManifest(_name, tag, manifest, mediaType) {
        const stored = digestOf(Buffer.from(JSON.stringify(manifest)));
        inTurn(() => pushManifest(name, tag ?? stored, manifest, mediaType));
        return stored;
      },
    };
    pushSignature(recorder, { name, digest, layout, sign: (bytes) => sign('sha256', bytes, privateKey) });
    await Promise.all(pushed);
    assert.equal(readText((await bring(source, place)).tree, 'a.yaml'), layout);
  });
}
