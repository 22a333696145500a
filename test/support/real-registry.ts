/** Starts the real registry of the CNCF on 127.0.0.1, and pushes to it as clients do. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import { registryBinary } from '../control-plane/binaries.ts';
import { freePort } from '../control-plane/components.ts';
import { digestOf, FLUX_LAYER, MANIFEST } from './registry-server.ts';

export interface RealRegistry extends AsyncDisposable {
  /** Host and port. */
  readonly host: string;
  pushBlob(name: string, content: Uint8Array): Promise<void>;
  /** Resolves to the digest. `mediaType`: default that of an OCI manifest. */
  pushManifest(name: string, reference: string, manifest: unknown, mediaType?: string): Promise<string>;
  /** Pushes an artifact of one layer, by default with the media type of Flux. Resolves to its digest. */
  push(name: string, tag: string, content: Uint8Array, mediaType?: string): Promise<string>;
}

export async function startRealRegistry(): Promise<RealRegistry> {
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
    pushBlob: (name, content) => pushBlob(host, name, content),
    pushManifest: (name, reference, manifest, mediaType = MANIFEST) => {
      return pushManifest({ host, name, reference, mediaType }, manifest);
    },
    async push(name, tag, content, mediaType = FLUX_LAYER) {
      const empty = Buffer.from('{}');
      await pushBlob(host, name, empty);
      await pushBlob(host, name, content);
      const manifest = {
        schemaVersion: 2,
        mediaType: MANIFEST,
        config: { mediaType: 'application/vnd.oci.empty.v1+json', digest: digestOf(empty), size: empty.length },
        layers: [{ mediaType, digest: digestOf(content), size: content.length }],
      };
      return pushManifest({ host, name, reference: tag, mediaType: MANIFEST }, manifest);
    },
    async [Symbol.asyncDispose]() {
      child.kill();
      await ended;
      await folder[Symbol.asyncDispose]();
    },
  };
}

async function answers(host: string): Promise<boolean> {
  try {
    const { statusCode, body } = await request(`http://${host}/v2/`);
    await body.dump();
    return statusCode === 200;
  } catch {
    return false;
  }
}

async function pushBlob(host: string, name: string, content: Uint8Array): Promise<void> {
  const begun = await request(`http://${host}/v2/${name}/blobs/uploads/`, { method: 'POST' });
  await begun.body.dump();
  const location = new URL(String(begun.headers.location), `http://${host}`);
  location.searchParams.set('digest', digestOf(content));
  const put = await request(location, { method: 'PUT', body: Buffer.from(content) });
  assert.equal(put.statusCode, 201, await put.body.text());
}

interface ManifestPlace {
  readonly host: string;
  readonly name: string;
  readonly reference: string;
  readonly mediaType: string;
}

async function pushManifest({ host, name, reference, mediaType }: ManifestPlace, manifest: unknown): Promise<string> {
  const body = Buffer.from(JSON.stringify(manifest));
  const url = `http://${host}/v2/${name}/manifests/${reference}`;
  const put = await request(url, { method: 'PUT', body, headers: { 'content-type': mediaType } });
  assert.equal(put.statusCode, 201, await put.body.text());
  return digestOf(body);
}
