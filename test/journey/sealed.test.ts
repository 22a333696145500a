/** A user seals a Secret, pushes it with the Deployment that needs it, and sees the Pods run with its value. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { landlockBinary, sopsBinary } from '../control-plane/binaries.ts';
import { secret, text, workload } from '../support/objects.ts';
import { at, declareSubject, makeNamespace, PROGRESS_FLAGS, untilObject } from '../support/scene.ts';
import { ageKey, seal, VALUES_ONLY } from '../support/sealed-files.ts';
import { useWorld } from '../support/use-world.ts';

const { world } = useWorld({
  mode: 'full',
  agent: async (running) =>
    running.agent({
      flags: [
        ...PROGRESS_FLAGS,
        ...['--sops', await sopsBinary(), '--landlock-program', await landlockBinary()],
        ...['--allow-cross-namespace', 'true'],
      ],
    }),
});

test('a sealed Secret and the Deployment that needs it go from a push to running Pods', async () => {
  const key = ageKey();
  await makeNamespace(world, 'apps');
  await world.apply(secret('keys', { stringData: { 'age.agekey': key.private } }, { namespace: 'apps' }));
  const sealed = (password: string): Promise<string> =>
    seal(text(secret('login', { stringData: { password } })), { recipients: [key], args: VALUES_ONLY });
  const files = { 'web.yaml': text(workload('Deployment', 'web')), 'login.yaml': await sealed('first') };
  const { application, namespace, repository } = await declareSubject(world, 'journey', {
    files,
    spec: { render: { decryption: { secretRef: { name: 'keys' } } } },
  });
  await application.until('Healthy', (now) => at(now, 'status', 'health', 'status') === 'Healthy');
  const path = `/api/v1/namespaces/${namespace}/secrets/login`;
  const passwordOf = (object: unknown): string =>
    Buffer.from(String(at(object, 'data', 'password')), 'base64').toString();
  assert.equal(passwordOf(await world.read(path)), 'first');
  await repository.commit({ ...files, 'login.yaml': await sealed('second') });
  await application.refresh();
  await untilObject(world, path, (object) => passwordOf(object) === 'second');
  await application.untilReady();
});
