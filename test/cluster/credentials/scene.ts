/**
 * Shared by the tests of private repositories: a Git server that requires the right header, and Applications in one
 * namespace with their Secret.
 *
 * Invariant: the credentials of every request are recorded, so that a test can check what was not sent.
 */
import type { RunningAgent } from '../../support/agent.ts';
import type { TestRepository } from '../../support/git-repository.ts';
import type { GitReaction, GitRequest } from '../../support/git-server.ts';
import { useStarted } from '../../support/use-world.ts';
import { startWorld, type ApplicationHandle, type World } from '../../support/world.ts';
import { configMap, secret, text } from '../../support/objects.ts';
import { makeNamespace, QUICK_FLAGS } from '../../support/scene.ts';

export interface Shown extends GitRequest {
  readonly authorization: string | undefined;
}

export interface Scene extends AsyncDisposable {
  readonly world: World;
  readonly agent: RunningAgent;
  /** By name of the repository: the header that opens it, or a function that answers its requests. */
  readonly locks: Map<string, string | ((shown: Shown) => GitReaction | undefined)>;
  readonly shown: Shown[];
}

/** A scene for all tests of a file. */
export function useScene(): Scene {
  return useStarted('the scene', () => startScene());
}

export async function startScene(flags: readonly string[] = []): Promise<Scene> {
  const world = await startWorld();
  try {
    const locks: Scene['locks'] = new Map();
    const shown: Shown[] = [];
    world.git.onRequest = (request) => {
      const { path, headers } = request;
      const seen = { ...request, authorization: headers.authorization };
      shown.push(seen);
      const lock = locks.get(/^\/([^/]+)\.git/.exec(path)?.[1] ?? '');
      if (typeof lock === 'function') return lock(seen);
      if (lock === undefined || lock === headers.authorization) return undefined;
      return {
        status: 401,
        headers: { 'www-authenticate': 'Basic realm="git"' },
        body: `no: ${headers.authorization}`,
      };
    };
    const agent = await world.agent({ flags: [...QUICK_FLAGS, ...flags] });
    return { world, agent, locks, shown, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() };
  } catch (error) {
    await world[Symbol.asyncDispose]();
    throw error;
  }
}

export interface Tenant {
  readonly namespace: string;
  readonly repository: TestRepository;
  readonly application: ApplicationHandle;
  /** Replaces all values; null deletes the Secret. */
  setSecret(values: Readonly<Record<string, string>> | null): Promise<void>;
}

export interface TenantOptions {
  /** Values of the Secret `git`. If absent there is no Secret, and the Application names none unless the spec does. */
  readonly secret?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
  /** Fields of spec.source; they replace the defaults. */
  readonly source?: Readonly<Record<string, unknown>>;
  readonly spec?: Readonly<Record<string, unknown>>;
  /** Address of the Git server for the Application. */
  readonly gitUrl?: string;
}

export const FILES = { 'kept.yaml': text(configMap('kept', { a: '1' })) };

/** Makes a namespace, a repository and an Application of one name, and a Secret `git` if values are given. */
export async function declareTenant(
  { world }: Pick<Scene, 'world'>,
  name: string,
  options: TenantOptions,
): Promise<Tenant> {
  const { secret: values, files = FILES, source = {}, spec = {}, gitUrl = world.git.url } = options;
  const repository = await world.repository(name);
  await repository.commit(files);
  await makeNamespace(world, name);
  const setSecret: Tenant['setSecret'] = (next) => setSecretOf(world, name, next);
  if (values) await setSecret(values);
  const secretRef = values ? { secretRef: { name: 'git' } } : {};
  const application = await world.declare(
    name,
    { ...spec, source: { repoURL: `${gitUrl}/${name}.git`, ...secretRef, ...source } },
    name,
  );
  return { namespace: name, repository, application, setSecret };
}

async function setSecretOf(
  { plane }: World,
  namespace: string,
  values: Readonly<Record<string, string>> | null,
): Promise<void> {
  const collection = `/api/v1/namespaces/${namespace}/secrets`;
  await plane.request('DELETE', `${collection}/git`);
  if (!values) return;
  const { code } = await plane.request('POST', collection, secret('git', { stringData: values }, { namespace }));
  if (code !== 201) throw new Error(`the Secret ${namespace}/git was not created: ${code}`);
}
