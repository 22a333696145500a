import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chartEntries, tgzOf } from '../../support/archives.ts';
import { CHART_LAYER, digestOf, FLUX_LAYER, MANIFEST } from '../../support/registry-server.ts';
import { bring, readText, secretOf, startArtifacts } from './artifact-harness.ts';

const files = (text: string) => tgzOf([{ name: 'deploy/app.yaml', data: text }]);

test('an artifact becomes a snapshot: three requests the first time, one for a later poll, none for the disk', async (t) => {
  const { registry, source, oci } = await startArtifacts(t);
  const digest = registry.push('team/app', 'v1', { content: await files('one') });
  const place = { repoUrl: `${oci}/team/app` };
  const snapshot = await bring(source, place, 'v1');
  assert.equal(snapshot.revision, `v1@${digest}`);
  assert.equal(`sha256:${snapshot.commit}`, digest);
  assert.equal(readText(snapshot.tree, 'deploy/app.yaml'), 'one');
  assert.deepEqual(
    registry.requests.map(({ method, path }) => `${method} ${path.split('/')[4]}`),
    ['HEAD manifests', 'GET manifests', 'GET blobs'],
  );
  registry.requests.length = 0;
  assert.equal((await bring(source, place, 'v1')).id, snapshot.id);
  assert.equal(registry.requests.length, 1);
});

test('a tag that moves, also back to an older artifact, is another revision with the files of that artifact', async (t) => {
  const { registry, source, oci } = await startArtifacts(t);
  const place = { repoUrl: `${oci}/app` };
  const [one, two] = [await files('one'), await files('two')];
  for (const [content, text] of [
    [one, 'one'],
    [two, 'two'],
    [one, 'one'],
  ] as const) {
    const digest = registry.push('app', 'latest', { content });
    const snapshot = await bring(source, place);
    assert.equal(snapshot.revision, `latest@${digest}`);
    assert.equal(readText(snapshot.tree, 'deploy/app.yaml'), text);
  }
});

test('a snapshot is recalled after a restart from its resolved revision alone, without a request', async (t) => {
  const { registry, source, oci, reopen } = await startArtifacts(t);
  registry.push('app', '1.0.0', { content: await files('one') });
  const place = { repoUrl: `${oci}/app` };
  const resolved = await source.poll({ ...place, revision: 'semver:1.x' });
  const before = await source.fetch({ ...place, resolved });
  await source.close();
  registry.requests.length = 0;
  const after = await reopen().recall({ ...place, resolved });
  assert.equal(after?.id, before.id);
  assert.deepEqual(registry.requests, []);
});

test('a range stands for the newest tag in it, over all pages of the list', async (t) => {
  const { registry, source, oci } = await startArtifacts(t);
  const content = await files('any');
  for (let patch = 0; patch < 250; patch++) registry.push('app', `1.0.${patch}`, { content });
  for (const tag of ['latest', '2.0.0-rc.1', '1.1.0_build.7', 'v0.9.0']) registry.push('app', tag, { content });
  const place = { repoUrl: `${oci}/app` };
  const nameFor = async (revision: string) => (await source.poll({ ...place, revision })).revision.split('@')[0];
  assert.equal(await nameFor('semver:~1.0'), '1.0.249');
  assert.equal(await nameFor('semver:>=1.0.0, <2.0.0'), '1.1.0+build.7');
  assert.equal(await nameFor('semver:>=1.0.0-0'), '2.0.0-rc.1');
  assert.equal(await nameFor('semver:<1'), 'v0.9.0');
  await assert.rejects(source.poll({ ...place, revision: 'semver:^7' }), { code: 'RevisionNotFound' });
});

test('a digest is fetched as it is, and is written with or without its algorithm', async (t) => {
  const { registry, source, oci } = await startArtifacts(t);
  const digest = registry.push('app', 'gone', { content: await files('one') });
  registry.deleteTag('app', 'gone');
  for (const revision of [digest, digest.slice('sha256:'.length)]) {
    assert.equal((await bring(source, { repoUrl: `${oci}/app` }, revision)).revision, digest);
  }
});

test('a chart of a registry is its folder, by version, with a plus sign, by range and as the newest one', async (t) => {
  const { registry, source, oci } = await startArtifacts(t);
  for (const version of ['1.0.0', '1.2.0+b', '2.0.0-rc.1']) {
    const content = await tgzOf(chartEntries('web', version));
    registry.push('charts/web', version.replace('+', '_'), { content, mediaType: CHART_LAYER });
  }
  const place = { repoUrl: `${oci}/charts`, chart: 'web' };
  for (const [revision, version] of [
    ['1.0.0', '1.0.0'],
    ['1.2.0+b', '1.2.0+b'],
    ['1.x', '1.2.0+b'],
    [undefined, '1.2.0+b'],
  ]) {
    const { revision: shown, tree } = await bring(source, place, revision);
    assert.equal(shown.split('@')[0], version);
    assert.match(readText(tree, 'Chart.yaml'), new RegExp(`version: ${version?.replace('+', '\\+')}`));
  }
});

test('a chart is named by its version and digest, and downloaded once', async (t) => {
  const { registry, source, oci } = await startArtifacts(t);
  const content = await tgzOf(chartEntries('web', '1.0.0'));
  const digest = registry.push('charts/web', '1.0.0', { content, mediaType: CHART_LAYER });
  const place = { repoUrl: `${oci}/charts`, chart: 'web' };
  const chart = await bring(source, place);
  assert.deepEqual([`sha256:${chart.commit}`, chart.revision], [digest, `1.0.0@${digest}`]);
  assert.match(readText(chart.tree, 'Chart.yaml'), /name: web/);
  await bring(source, place);
  assert.equal(registry.requests.filter(({ path }) => path.includes('/blobs/')).length, 1);
});

test('the subject and date of the artifact are those of its annotations', async (t) => {
  const { registry, source, oci } = await startArtifacts(t);
  const annotations = {
    'org.opencontainers.image.revision': 'main@sha1:0123\u001b[2J',
    'org.opencontainers.image.created': '2026-02-03T04:05:06Z',
  };
  registry.push('app', 'latest', { content: await files('one'), annotations });
  const { about } = await bring(source, { repoUrl: `${oci}/app` });
  assert.deepEqual(about, { subject: 'main@sha1:0123\\u001b[2J', date: '2026-02-03T04:05:06Z' });
});

test('artifacts with another layout are refused with the media types that they have', async (t) => {
  const { registry, source, oci } = await startArtifacts(t);
  const content = await files('one');
  const layer = { mediaType: FLUX_LAYER, digest: registry.putBlob(content), size: content.length };
  const other = { ...layer, mediaType: 'application/vnd.in-toto+json' };
  const manifest = (layers: unknown[]) => ({ schemaVersion: 2, mediaType: MANIFEST, layers });
  registry.putManifest('app', 'two', manifest([layer, layer]));
  registry.putManifest('app', 'none', manifest([other]));
  registry.putManifest('app', 'beside', manifest([other, layer]));
  registry.putManifest('app', 'index', { schemaVersion: 2, manifests: [] }, 'application/vnd.oci.image.index.v1+json');
  registry.putManifest('app', 'list', []);
  const place = { repoUrl: `${oci}/app` };
  const refused = (tag: string, code: string, message: RegExp) =>
    assert.rejects(bring(source, place, tag), { code, message });
  await refused('two', 'UnsupportedArtifact', /exactly one layer .* holds application\/vnd\.cncf\.flux.*, application/);
  await refused('none', 'UnsupportedArtifact', /holds application\/vnd\.in-toto\+json/);
  await refused('index', 'UnsupportedArtifact', /an index of several artifacts/);
  await refused('list', 'MalformedAnswer', /is no manifest/);
  await assert.rejects(bring(source, { repoUrl: oci, chart: 'app' }, 'beside'), { message: /is no Helm chart/ });
  assert.equal(readText((await bring(source, place, 'beside')).tree, 'deploy/app.yaml'), 'one');
});

test('a registry that sends other bytes than those of the digest is refused, and nothing stays on disk', async (t) => {
  const { registry, source, oci } = await startArtifacts(t);
  const content = await files('one');
  registry.push('app', 'v1', { content });
  const place = { repoUrl: `${oci}/app` };
  registry.intercept = ({ url }, response) => {
    if (!url?.includes('/blobs/')) return false;
    response.end(Buffer.alloc(content.length, 7));
    return true;
  };
  await assert.rejects(bring(source, place, 'v1'), { code: 'DigestMismatch', message: /another digest than sha256/ });
  registry.intercept = ({ url, method }, response) => {
    if (!url?.includes('/manifests/') || method === 'HEAD') return false;
    response.end('{}');
    return true;
  };
  await assert.rejects(bring(source, place, 'v1'), { code: 'DigestMismatch' });
  registry.intercept = undefined;
  assert.equal(readText((await bring(source, place, 'v1')).tree, 'deploy/app.yaml'), 'one');
});

test('a list of tags that does not end is refused, and so is one that leads elsewhere', async (t) => {
  const { registry, source, oci } = await startArtifacts(t, { limits: { maxTagPages: 20 } });
  let next = (page: number): string => `</v2/app/tags/list?last=${page}>; rel="next"`;
  let pages = 0;
  registry.intercept = ({ url }, response) => {
    if (!url?.includes('/tags/')) return false;
    response.setHeader('link', next(++pages));
    response.end(JSON.stringify({ tags: [`1.0.${pages}`] }));
    return true;
  };
  const poll = () => source.poll({ repoUrl: `${oci}/app`, revision: 'semver:*' });
  await assert.rejects(poll(), { code: 'TooLarge', message: /does not end within 20 \(maxTagPages\)/ });
  assert.equal(pages, 20);
  next = () => '<http://169.254.169.254/v2/app/tags/list>; rel="next"';
  await assert.rejects(poll(), { code: 'MalformedAnswer', message: /as the next page of its tags/ });
});

test('a missing tag, a missing artifact and a damaged tag of the spec have a reason each', async (t) => {
  const { registry, source, oci } = await startArtifacts(t);
  registry.push('app', 'v1', { content: await files('one') });
  const poll = (repoUrl: string, revision: string) => source.poll({ repoUrl, revision });
  await assert.rejects(poll(`${oci}/app`, 'v2'), { code: 'RevisionNotFound', message: /has no tag "v2"/ });
  await assert.rejects(poll(`${oci}/app`, 'semver:not a range'), { code: 'InvalidRevision' });
  await assert.rejects(poll(`${oci}/app`, digestOf(Buffer.from('x')).replace('sha256', 'sha512')), {
    code: 'InvalidRevision',
  });
  await assert.rejects(poll(`${oci}/none`, 'semver:1.x'), { code: 'RevisionNotFound' });
  await assert.rejects(bring(source, { repoUrl: `${oci}/app` }, digestOf(Buffer.from('x'))), {
    code: 'RevisionNotFound',
  });
});

test('the two credentials of one artifact share no snapshot', async (t) => {
  const { registry, source, oci } = await startArtifacts(t);
  registry.login = { username: 'robot', password: 'hidden-word', challenge: 'bearer' };
  registry.push('app', 'v1', { content: await files('one') });
  const place = { repoUrl: `${oci}/app` };
  const credential = secretOf({ username: 'robot', password: 'hidden-word' });
  const snapshot = await bring(source, { ...place, credential }, 'v1');
  const resolved = { revision: snapshot.revision, commit: snapshot.commit };
  assert.equal(await source.recall({ ...place, resolved }), undefined);
  await assert.rejects(source.fetch({ ...place, resolved }), { code: 'AuthenticationRequired' });
});
