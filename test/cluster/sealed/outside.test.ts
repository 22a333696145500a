/**
 * The objects of docs/secrets.md that name Secrets from outside of Git: Tautline applies them, shows their health, and
 * leaves the Secrets alone that their controllers make. The kinds have the names of the real definitions, without their
 * schemas; the test plays the controllers.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { blocksOf, readPage } from '../../docs/page.ts';
import { kubectl } from '../../support/kubectl.ts';
import { configMap, definition, secret, text, type Manifest } from '../../support/objects.ts';
import { at, declareSubject, putStatus, QUICK_FLAGS, untilObject } from '../../support/scene.ts';
import { useWorld } from '../../support/use-world.ts';

const { world } = useWorld({
  agent: (running) => running.agent({ flags: [...QUICK_FLAGS, '--allow-cross-namespace', 'true'] }),
});

interface Outside extends Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

const OUTSIDE = blocksOf(readPage('docs/secrets.md'))
  .filter(({ language }) => language === 'yaml')
  .map(({ text: block }) => parse(block) as Outside)
  .filter(({ kind }) => kind !== 'Application');

/** The status that the controller writes once it has made the Secret; undefined: the kind has none. */
const STATUS: Readonly<Record<string, Manifest | undefined>> = {
  ExternalSecret: { conditions: [{ type: 'Ready', status: 'True', reason: 'SecretSynced' }] },
  VaultStaticSecret: { secretMAC: 'x', conditions: [{ type: 'Ready', status: 'True' }] },
  SealedSecret: { conditions: [{ type: 'Synced', status: 'True' }] },
  SecretProviderClass: undefined,
};

const pluralOf = (kind: string): string => `${kind.toLowerCase()}${kind.endsWith('s') ? 'es' : 's'}`;

function definitionOf({ apiVersion, kind }: Outside): Manifest {
  const [group = '', version = ''] = apiVersion.split('/');
  return definition({ group, version, kind, plural: pluralOf(kind), hasStatus: STATUS[kind] !== undefined });
}

test('the page has an object of every kind that this test plays', () => {
  assert.deepEqual(OUTSIDE.map(({ kind }) => kind).sort(), Object.keys(STATUS).sort());
});

test('objects that name Secrets from outside are applied and awaited, and the Secrets are left alone', async () => {
  for (const object of OUTSIDE) await world.apply(definitionOf(object));
  await kubectl(world, ['wait', '--for=condition=Established', '--all', 'crd', '--timeout=120s']);
  const files = Object.fromEntries(OUTSIDE.map((object) => [`${object.kind}.yaml`, text(object)]));
  const { application, namespace, repository } = await declareSubject(world, 'outside', { files });
  const pathOf = ({ apiVersion, kind, metadata }: Outside): string =>
    `/apis/${apiVersion}/namespaces/${namespace}/${pluralOf(kind)}/${metadata.name}`;
  for (const object of OUTSIDE) {
    const live = await untilObject(world, pathOf(object), () => true);
    const status = STATUS[object.kind];
    if (status) await putStatus(world, pathOf(object), status);
    const owner = { apiVersion: object.apiVersion, kind: object.kind, name: object.metadata.name, controller: true };
    const made = secret(
      `made-by-${object.kind.toLowerCase()}`,
      { stringData: { password: 'from outside' } },
      { namespace, ownerReferences: [{ ...owner, uid: at(live, 'metadata', 'uid') }] },
    );
    await world.apply(made, 'controller');
  }
  await application.until('Healthy', (now) => at(now, 'status', 'health', 'status') === 'Healthy');

  const secrets = async (): Promise<string[]> =>
    (await kubectl(world, ['get', 'secrets', '-n', namespace, '-o', 'jsonpath={.items[*].metadata.resourceVersion}']))
      .split(' ')
      .sort();
  const before = await secrets();
  await repository.commit({ ...files, 'more.yaml': text(configMap('more')) });
  await application.refresh();
  await application.untilReady();
  assert.deepEqual(await secrets(), before);
  assert.equal(before.length, OUTSIDE.length);

  const external = OUTSIDE.find(({ kind }) => kind === 'ExternalSecret');
  assert.ok(external);
  const condition = { type: 'Ready', status: 'False', reason: 'SecretSyncedError', message: 'no such key' };
  await putStatus(world, pathOf(external), { conditions: [condition] });
  await application.until('Degraded', (now) => at(now, 'status', 'health', 'status') === 'Degraded');
});
