/**
 * Shared by the tests of identities: tenants, each with a namespace, a ServiceAccount `deployer`, and an Application
 * that names it.
 *
 * Invariant: the agent itself is cluster administrator, so that a failure shows a missing right of the account.
 */
import assert from 'node:assert/strict';
import type { RunningAgent } from '../../support/agent.ts';
import type { ApplicationHandle, Json, World } from '../../support/world.ts';
import type { TestRepository } from '../../support/git-repository.ts';
import { ACCOUNT, ALL_VERBS, grant, makeAccount, rule, type Rule, type Verb } from '../../support/rights.ts';
import { configMapPath, makeNamespace, readyMessage, readyReason } from '../../support/scene.ts';

export interface Tenant {
  readonly namespace: string;
  readonly application: ApplicationHandle;
  readonly repository: TestRepository;
  configMap(name: string): Promise<Json | undefined>;
  /** Replaces the account's rights on ConfigMaps of its namespace. */
  allow(...verbs: Verb[]): Promise<void>;
}

export interface TenantOptions {
  readonly files: Readonly<Record<string, string>>;
  /** Rights on ConfigMaps of its own namespace. Default: all. */
  readonly verbs?: readonly Verb[];
  /** Further rights in its own namespace. */
  readonly rules?: readonly Rule[];
  readonly spec?: Record<string, unknown>;
}

/** Starts an agent that retries soon and writes outside an Application's namespace only as its account. */
export async function startTenantAgent(world: World, ...flags: string[]): Promise<RunningAgent> {
  const pace = ['--max-backoff', '2s', '--progress-check', '500ms', '--hand-over-wait', '1s'];
  return world.agent({ flags: ['--allow-cross-namespace', 'false', ...pace, ...flags] });
}

/** Declares an Application with the name of its namespace, and makes its account. */
export async function declareTenant(world: World, namespace: string, options: TenantOptions): Promise<Tenant> {
  const repository = await world.repository(namespace);
  await repository.commit(options.files);
  await makeNamespace(world, namespace);
  await makeAccount(world, namespace);
  const allow: Tenant['allow'] = (...verbs) =>
    grant(world, { namespace, rules: [rule('', 'configmaps', verbs), ...(options.rules ?? [])] });
  await allow(...(options.verbs ?? ALL_VERBS));
  const application = await world.declare(
    namespace,
    { source: { repoURL: repository.url }, serviceAccountName: ACCOUNT, ...options.spec },
    namespace,
  );
  return {
    namespace,
    application,
    repository,
    configMap: (name) => world.read(configMapPath(namespace, name)),
    allow,
  };
}

/** Matches the API server's `User "system:serviceaccount:shop:deployer" cannot create resource "configmaps"`. */
export function denial(namespace: string, verb: string, resource: string, account = ACCOUNT): RegExp {
  return new RegExp(`"system:serviceaccount:${namespace}:${account}" cannot ${verb} resource "${resource}"`);
}

/** Waits until Ready is False with that message, and resolves to the Application. */
export async function untilSaid({ application }: Pick<Tenant, 'application'>, message: RegExp): Promise<Json> {
  const found = await application.until(`Ready says ${message}`, (item) => message.test(readyMessage(item)));
  assert.match(readyReason(found), /^False /);
  return found;
}
