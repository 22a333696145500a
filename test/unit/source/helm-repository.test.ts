import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { chartEntries, tgzOf } from '../../support/archives.ts';
import { digestOf, serveCharts, startRegistry, type ListedChart } from '../../support/registry-server.ts';
import { bring, readText, secretOf, startArtifacts } from './artifact-harness.ts';

async function chart(name: string, version: string, more: Partial<ListedChart> = {}): Promise<ListedChart> {
  return { name, version, content: await tgzOf(chartEntries(name, version)), ...more };
}

test('a chart of a Helm repository is its folder: two requests the first time, one without a body afterwards', async (t) => {
  const { registry, source } = await startArtifacts(t, { limits: {} });
  const one = await chart('web', '1.2.3');
  serveCharts(registry, '/charts', [one, await chart('other', '9.0.0')]);
  const place = { repoUrl: `${registry.url}/charts/`, chart: 'web' };
  const snapshot = await bring(source, place, '1.x');
  assert.equal(snapshot.revision, `1.2.3@${digestOf(one.content)}`);
  assert.equal(snapshot.about?.subject, 'web 1.2.3');
  assert.match(readText(snapshot.tree, 'Chart.yaml'), /version: 1\.2\.3/);
  assert.deepEqual(
    registry.requests.map(({ path }) => path),
    ['/charts/index.yaml', '/charts/web-1.2.3.tgz'],
  );
});

test('versions are picked as Helm picks them', async (t) => {
  const { registry, source } = await startArtifacts(t);
  const versions = ['1.2.0', '1.10.0', 'v2.0.0', '2.1.0-rc.1', '1.10.0+build.2', '0.1.0'];
  serveCharts(registry, '/c', await Promise.all(versions.map((version) => chart('web', version))));
  const place = { repoUrl: `${registry.url}/c`, chart: 'web' };
  const table = [
    [undefined, 'v2.0.0'],
    ['HEAD', 'v2.0.0'],
    ['1.x', '1.10.0+build.2'],
    ['~1.2', '1.2.0'],
    ['>=1.0.0, <2.0.0', '1.10.0+build.2'],
    ['>=2.0.0-0', '2.1.0-rc.1'],
    ['2.0.0', 'v2.0.0'],
    ['v1.2.0', '1.2.0'],
    ['1.10.0+build.2', '1.10.0+build.2'],
  ] as const;
  for (const [revision, version] of table) {
    assert.equal((await source.poll({ ...place, revision })).revision.split('@')[0], version, revision);
  }
  await assert.rejects(source.poll({ ...place, revision: '3.x' }), {
    code: 'RevisionNotFound',
    message: /no version in the range "3\.x"\. The index begins with 1\.2\.0/,
  });
  await assert.rejects(source.poll({ ...place, chart: 'nothing' }), { code: 'ChartNotFound', message: /"nothing"/ });
});

test('a snapshot is fetched by its digest alone, whatever the index lists first', async (t) => {
  const { registry, source } = await startArtifacts(t);
  const [old, next] = [await chart('web', '1.0.0'), await chart('web', '1.1.0')];
  serveCharts(registry, '/c', [next, old]);
  const place = { repoUrl: `${registry.url}/c`, chart: 'web' };
  const commit = digestOf(old.content).slice('sha256:'.length);
  const { tree } = await source.fetch({ ...place, resolved: { revision: `1.0.0@sha256:${commit}`, commit } });
  assert.match(readText(tree, 'Chart.yaml'), /version: 1\.0\.0/);
});

test('an archive whose digest is not that of the index is refused, and so is a version without digest', async (t) => {
  const { registry, source } = await startArtifacts(t);
  serveCharts(registry, '/c', [
    await chart('web', '1.0.0', { digest: 'a'.repeat(64) }),
    await chart('web', '0.9.0', { digest: null }),
    await chart('web', '0.8.0', { url: 'ftp://127.0.0.1/web.tgz' }),
    await chart('web', '0.7.0', { url: 'oci://127.0.0.1/web' }),
  ]);
  const place = { repoUrl: `${registry.url}/c`, chart: 'web' };
  const refused = (version: string, code: string, message: RegExp) =>
    assert.rejects(bring(source, place, version), { code, message });
  await refused('1.0.0', 'DigestMismatch', /sent version 1\.0\.0 with another digest/);
  await refused('0.9.0', 'UnsupportedArtifact', /names no digest/);
  await refused('0.8.0', 'UnsupportedArtifact', /no https or http address/);
  await refused('0.7.0', 'UnsupportedArtifact', /Use the registry itself .*oci:\/\/127\.0\.0\.1\/web/);
});

test('the credential goes to the origin of the repository alone', async (t) => {
  const { registry, source } = await startArtifacts(t);
  const elsewhere = await startRegistry();
  t.after(() => elsewhere.stop());
  const one = await chart('web', '1.0.0', { url: `${elsewhere.url}/web.tgz` });
  elsewhere.putFile('/web.tgz', one.content);
  serveCharts(registry, '/c', [one, await chart('web', '0.1.0')]);
  registry.login = { username: 'reader', password: 'hidden-word', challenge: 'basic' };
  const place = { repoUrl: `${registry.url}/c`, chart: 'web' };
  await assert.rejects(bring(source, place), { code: 'AuthenticationRequired', message: /spec\.source\.secretRef/ });
  const credential = secretOf({ username: 'reader', password: 'hidden-word' });
  await bring(source, { ...place, credential });
  await bring(source, { ...place, credential }, '0.1.0');
  assert.deepEqual(
    elsewhere.requests.map(({ authorization }) => authorization),
    [undefined],
  );
  const wrong = secretOf({ username: 'reader', password: 'other-word' });
  await assert.rejects(bring(source, { ...place, credential: wrong }), {
    code: 'CredentialsRefused',
    message: /did not accept the credentials of the Secret team\/registry/,
  });
});

test('an index of 100 MB is refused, in bounded memory', async (t) => {
  const { registry, source } = await startArtifacts(t);
  let sentBytes = 0;
  registry.intercept = (_request, response) => {
    const chunk = Buffer.alloc(1_000_000, 'x');
    const write = (): void => {
      while (sentBytes < 100_000_000 && !response.destroyed) {
        sentBytes += chunk.length;
        if (!response.write(chunk)) return void response.once('drain', write);
      }
      response.end();
    };
    write();
    return true;
  };
  await assert.rejects(source.poll({ repoUrl: registry.url, chart: 'web' }), {
    code: 'TooLarge',
    message: /\(maxIndexBytes\)/,
  });
  assert.ok(sentBytes < 90_000_000, `${sentBytes} bytes were sent`);
});

test('an index is read again when it has changed, and is not when it has not', async (t) => {
  const { registry, source } = await startArtifacts(t);
  serveCharts(registry, '/c', [await chart('web', '1.0.0')]);
  const place = { repoUrl: `${registry.url}/c`, chart: 'web' };
  const poll = async () => {
    const { revision } = await source.poll({ ...place, notBeforeMs: performance.now() });
    return revision.split('@')[0];
  };
  assert.equal(await poll(), '1.0.0');
  assert.equal(await poll(), '1.0.0');
  serveCharts(registry, '/c', [await chart('web', '1.0.0'), await chart('web', '1.1.0')]);
  assert.equal(await poll(), '1.1.0');
  assert.equal(registry.requests.length, 3);
});

test('Applications of one repository share one index', async (t) => {
  const { registry, source } = await startArtifacts(t);
  serveCharts(registry, '/c', [await chart('web', '1.0.0'), await chart('db', '2.0.0')]);
  const poll = (name: string) => source.poll({ repoUrl: `${registry.url}/c`, chart: name });
  await Promise.all([poll('web'), poll('db'), poll('web')]);
  assert.equal(registry.requests.length, 1);
});

test('answers that are no index have a reason', async (t) => {
  const { registry, source } = await startArtifacts(t);
  const poll = (text: string) => {
    registry.putFile('/index.yaml', text);
    return source.poll({ repoUrl: registry.url, chart: 'web', notBeforeMs: performance.now() });
  };
  await assert.rejects(poll('<html>sign in</html>'), { code: 'MalformedAnswer', message: /is no index of a Helm/ });
  await assert.rejects(poll('apiVersion: v1\n'), { code: 'MalformedAnswer', message: /it has no entries/ });
  await assert.rejects(poll('apiVersion: v1\nentries: {}\n'), { code: 'ChartNotFound' });
});

test('an index that has left the disk is fetched again, although the server would confirm it', async (t) => {
  const { registry, source, dataDir } = await startArtifacts(t);
  serveCharts(registry, '/c', [await chart('web', '1.0.0'), await chart('db', '2.0.0')]);
  const poll = (name: string) =>
    source.poll({ repoUrl: `${registry.url}/c`, chart: name, notBeforeMs: performance.now() });
  await poll('web');
  await rm(join(dataDir, 'indexes'), { recursive: true });
  await assert.rejects(poll('db'));
  assert.match((await poll('db')).revision, /^2\.0\.0@/);
});
