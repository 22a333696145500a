/**
 * Applications whose source is an artifact of a registry or a chart: they become live, follow, and survive a restart.
 */
import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { RunningAgent } from '../../support/agent.ts';
import { tgzOf } from '../../support/archives.ts';
import { configMap, secret, text } from '../../support/objects.ts';
import { digestOf, serveCharts, startRegistry, type RegistryServer } from '../../support/registry-server.ts';
import { at, configMapPath, QUICK_FLAGS, untilObject } from '../../support/scene.ts';
import { pushSignature } from '../../support/signatures.ts';
import { useStarted, useWorld } from '../../support/use-world.ts';

const data = useStarted('the data folder', () => mkdtempDisposable(join(tmpdir(), 'tautline-data-')));
const registry = useStarted('the registry', async (): Promise<RegistryServer & AsyncDisposable> => {
  const server = await startRegistry();
  return Object.assign(server, { [Symbol.asyncDispose]: () => server.stop() });
});
const { world } = useWorld();

const startAgent = (): Promise<RunningAgent> => world.agent({ flags: ['--data-dir', data.path, ...QUICK_FLAGS] });

const artifact = (value: string): Promise<Buffer> =>
  tgzOf([{ name: 'deploy/a.yaml', data: text(configMap('a', { v: value })) }]);

async function untilValue(namespace: string, value: string): Promise<void> {
  await untilObject(world, configMapPath(namespace, 'a'), (object) => at(object, 'data', 'v') === value);
}

test('an artifact of a registry becomes live, is followed when its tag moves, and is known after a restart', async () => {
  let agent = await startAgent();
  registry.push('team/shop', '1.0.0', { content: await artifact('one') });
  const source = {
    repoURL: `oci://${registry.host}/team/shop`,
    revision: 'semver:1.x',
    path: 'deploy',
    interval: '24h',
  };
  const application = await world.declare('shop', { source }, 'shop');
  await application.untilReady();
  await untilValue('shop', 'one');

  const digest = registry.push('team/shop', '1.1.0', { content: await artifact('two') });
  await application.refresh();
  await untilValue('shop', 'two');
  const { status } = await application.untilReady(`1.1.0@${digest}`);
  assert.equal(status?.['sync']?.['commit'], digest.slice(7, 19));
  assert.equal(status?.['history']?.[0]?.['commit'], digest.slice(7, 19));

  // The registry is down, and drift is healed by the snapshot on disk.
  await agent.stop();
  registry.intercept = (_request, response) => {
    response.writeHead(503).end();
    return true;
  };
  agent = await startAgent();
  await world.send('PATCH', configMapPath('shop', 'a'), { data: { v: 'hand' } });
  await untilValue('shop', 'two');
  registry.intercept = undefined;
  await application.untilReady(`1.1.0@${digest}`);
  await agent.stop();
});

test('the folder of a chart of a Helm repository is a source, and a request goes to an older version', async () => {
  const agent = await startAgent();
  const chart = async (version: string) => ({
    name: 'web',
    version,
    content: await tgzOf([{ name: 'web/files/a.yaml', data: text(configMap('a', { v: version })) }]),
  });
  serveCharts(registry, '/charts', [await chart('1.0.0'), await chart('1.1.0')]);
  const source = { repoURL: `${registry.url}/charts`, chart: 'web', revision: '^1.0', path: 'files', interval: '24h' };
  const application = await world.declare('web', { source, sync: { mode: 'manual' } }, 'web');
  await application.ask({ action: 'sync' });
  await untilValue('web', '1.1.0');
  const { status } = (await application.read()) ?? {};
  assert.match(String(status?.['sync']?.['revision']), /^1\.1\.0@sha256:[0-9a-f]{64}$/);

  const old = await chart('1.0.0');
  await application.ask({ action: 'sync', revision: digestOf(old.content).slice('sha256:'.length) });
  await untilValue('web', '1.0.0');
  await agent.stop();
});

test('an artifact without a valid signature is not applied, and is as soon as it is signed', async () => {
  const agent = await startAgent();
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const digest = registry.push('team/signed', 'latest', { content: await artifact('signed') });
  const source = {
    repoURL: `oci://${registry.host}/team/signed`,
    path: 'deploy',
    interval: '24h',
    verify: { provider: 'cosign', secretRef: { name: 'keys' } },
  };
  const application = await world.declare('signed', { source }, 'signed');
  const keys = { stringData: { 'cosign.pub': publicKey.export({ type: 'spki', format: 'pem' }) } };
  await world.apply(secret('keys', keys, { namespace: 'signed' }));
  await application.refresh();
  await application.until('refused', ({ status }) => JSON.stringify(status).includes('has no signature of cosign'));
  assert.equal(await world.read(configMapPath('signed', 'a')), undefined);

  pushSignature(registry, { name: 'team/signed', digest, sign: (bytes) => sign('sha256', bytes, privateKey) });
  await application.refresh();
  await untilValue('signed', 'signed');
  await agent.stop();
});
