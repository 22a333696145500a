/**
 * Applications that demand signed commits: a signed one becomes live, an unsigned one is not rendered, what was applied
 * stays and is healed, and all of that survives a restart.
 */
import assert from 'node:assert/strict';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { RunningAgent } from '../../support/agent.ts';
import type { TestRepository } from '../../support/git-repository.ts';
import { configMap, secret, text } from '../../support/objects.ts';
import {
  at,
  configMapPath,
  outcomeOf,
  QUICK_FLAGS,
  sourceReason,
  untilFailed,
  untilObject,
} from '../../support/scene.ts';
import {
  pgpSigner,
  pushCommit,
  pushTag,
  signedTag,
  sshSigner,
  tagBytes,
  type TestSigner,
} from '../../support/signed-git.ts';
import { useStarted, useWorld } from '../../support/use-world.ts';
import { start } from '../cli/scene.ts';

const data = useStarted('the data folder', () => mkdtempDisposable(join(tmpdir(), 'tautline-data-')));
const { world } = useWorld();

const startAgent = (): Promise<RunningAgent> => world.agent({ flags: ['--data-dir', data.path, ...QUICK_FLAGS] });

const files = (v: string) => ({ 'a.yaml': text(configMap('a', { v })) });

async function untilValue(namespace: string, value: string): Promise<void> {
  await untilObject(world, configMapPath(namespace, 'a'), (object) => at(object, 'data', 'v') === value);
}

async function expectHealed(namespace: string, value: string): Promise<void> {
  await world.send('PATCH', configMapPath(namespace, 'a'), { data: { v: 'hand' } });
  await untilValue(namespace, value);
}

const keysOf = (...signers: readonly TestSigner[]) => ({
  stringData: Object.fromEntries(signers.map(({ publicKey }, index) => [`key-${index}`, publicKey])),
});

interface Declared {
  readonly mode?: 'head' | 'tag' | 'both';
  readonly signers: readonly TestSigner[];
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly revision?: string;
}

/** In a namespace of its own, which also holds the Secret. */
async function declare(name: string, repository: TestRepository, { mode = 'head', signers, spec, revision }: Declared) {
  const application = await world.declare(
    name,
    {
      source: {
        repoURL: repository.url,
        verify: { mode, secretRef: { name: 'keys' } },
        ...(revision === undefined ? {} : { revision }),
      },
      ...spec,
    },
    name,
  );
  await world.apply(secret('keys', keysOf(...signers), { namespace: name }));
  return application;
}

test('a signed commit becomes live with its signer, and an unsigned one is not rendered, also after a restart', async () => {
  let agent = await startAgent();
  const repository = await world.repository('signed');
  const signer = sshSigner();
  const signed = await pushCommit(repository, files('one'), { signer });
  const application = await declare('signed', repository, { signers: [signer] });
  const { status } = await application.untilReady(`main@sha1:${signed}`);
  assert.match(String(status?.['sync']?.['signer']), /^someone@example\.org \(SHA256:[A-Za-z0-9+/]{43}\)$/);
  assert.equal(status?.['history']?.[0]?.['signer'], status?.['sync']?.['signer']);
  await untilValue('signed', 'one');

  await pushCommit(repository, { ...files('two'), 'b.yaml': text(configMap('b')) });
  await application.refresh();
  const { message } = await untilFailed({ application }, 'ArtifactFailed');
  assert.match(message, /has no signature\. Sign it with git commit -S/);
  assert.match(await sourceReason({ application }), /NotSigned/);
  await expectHealed('signed', 'one');
  await agent.stop();
  agent = await startAgent();
  await expectHealed('signed', 'one');
  assert.match(await sourceReason({ application }), /NotSigned/);
  assert.equal(await world.read(configMapPath('signed', 'b')), undefined);

  const other = await pgpSigner();
  const byOther = await pushCommit(repository, files('three'), { signer: other });
  await application.refresh();
  assert.match(await sourceReason({ application }), /SignerUnknown/);
  await world.apply(secret('keys', keysOf(signer, other), { namespace: 'signed' }));
  await application.refresh();
  const later = await application.untilReady(`main@sha1:${byOther}`);
  assert.match(String(later.status?.['sync']?.['signer']), /^Some One <someone@example\.org> \([0-9A-F]{16}\)$/);
  await untilValue('signed', 'three');
  await agent.stop();
});

test('a commit that was live before signatures were asked for is not rendered any more, and is healed', async () => {
  let agent = await startAgent();
  const repository = await world.repository('later');
  await pushCommit(repository, files('one'));
  const application = await world.declare('later', { source: { repoURL: repository.url } }, 'later');
  await application.untilReady();
  await world.apply(secret('keys', keysOf(sshSigner()), { namespace: 'later' }));
  await application.patch({
    source: { verify: { mode: 'head', secretRef: { name: 'keys' } } },
    render: { kustomize: { namePrefix: 'new-' } },
  });
  await untilFailed({ application }, 'ArtifactFailed');
  await expectHealed('later', 'one');
  await agent.stop();
  agent = await startAgent();
  await application.refresh();
  assert.match(await sourceReason({ application }), /NotSigned/);
  assert.equal(await world.read(configMapPath('later', 'new-a')), undefined);
  await untilValue('later', 'one');
  await agent.stop();
});

test('a requested commit must be signed, and so must what the command line renders', async () => {
  const agent = await startAgent();
  const repository = await world.repository('asked');
  const signer = sshSigner();
  const unsigned = await pushCommit(repository, files('unsigned'));
  const signed = await pushCommit(repository, files('signed'), { signer });
  const spec = { sync: { mode: 'manual' } };
  const application = await declare('asked', repository, { signers: [signer], spec });
  assert.notEqual(outcomeOf(await application.ask({ action: 'sync', revision: unsigned, dryRun: true })), 'Succeeded');
  await application.ask({ action: 'sync', revision: signed });
  await untilValue('asked', 'signed');
  const refused = await start(world.plane.kubeconfig, ['diff', 'asked', '--revision', unsigned, '-n', 'asked']).ended;
  assert.notEqual(refused.code, 0);
  assert.match(refused.stderr, /has no signature/);
  assert.equal(refused.stdout, '');
  await agent.stop();
});

test('a signed tag becomes live, and the same tag under a higher version is refused', async () => {
  const agent = await startAgent();
  const repository = await world.repository('tagged');
  const signer = sshSigner();
  const object = await pushCommit(repository, files('one'));
  const first = await signedTag(tagBytes({ object, name: '1.0.0' }), signer);
  await pushTag(repository, '1.0.0', first);
  const application = await declare('tagged', repository, { mode: 'tag', signers: [signer], revision: 'semver:1.x' });
  await application.untilReady(`1.0.0@sha1:${object}`);
  const second = await pushCommit(repository, files('two'));
  await pushTag(repository, '1.1.0', await signedTag(tagBytes({ object: second, name: '1.1.0' }), signer));
  await application.refresh();
  await application.untilReady(`1.1.0@sha1:${second}`);
  await pushTag(repository, '1.2.0', first);
  await application.refresh();
  const { message } = await untilFailed({ application }, 'ArtifactFailed');
  assert.match(message, /The tag 1\.2\.0 of .* is a signed tag of another name or commit/);
  assert.match(await sourceReason({ application }), /TagReplayed/);
  await expectHealed('tagged', 'two');
  await agent.stop();
});

test('another source must be signed too if its entry asks for it', async () => {
  const agent = await startAgent();
  const [repository, values] = [await world.repository('main'), await world.repository('values')];
  const signer = sshSigner();
  await pushCommit(repository, { 'kustomization.yaml': 'resources: [a.yaml]\n', ...files('one') });
  const component = 'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\ncommonAnnotations: {part: used}\n';
  const part = { 'part/kustomization.yaml': component };
  await pushCommit(values, part);
  const sources = [{ name: 'values', repoURL: values.url, verify: { mode: 'head', secretRef: { name: 'keys' } } }];
  const render = { kustomize: { components: ['$values/part'] } };
  const application = await world.declare('both', { source: { repoURL: repository.url }, sources, render }, 'both');
  await world.apply(secret('keys', keysOf(signer), { namespace: 'both' }));
  await application.refresh();
  const { message } = await untilFailed({ application }, 'ArtifactFailed');
  assert.match(message, /has no signature.*spec\.sources\[values\]\.verify/);
  assert.equal(await world.read(configMapPath('both', 'a')), undefined);
  await pushCommit(values, { ...part, 'part/more.yaml': '' }, { signer });
  await application.refresh();
  await application.untilReady();
  await untilValue('both', 'one');
  await agent.stop();
});
