/**
 * What the tests of identities share: tenants, each with a namespace, a ServiceAccount `deployer`, and an Application
 * that names it.
 *
 * Invariant: the agent itself is cluster administrator, so that whatever fails here fails for want of the account's own
 * right.
 */
import assert from 'node:assert/strict';
import type { RunningAgent } from '../../support/agent.ts';
import { eventually, type ApplicationHandle, type Json, type World } from '../../support/world.ts';
import type { TestRepository } from '../../support/git-repository.ts';
import { at, configMapPath, makeNamespace, readyMessage, readyReason } from '../agent/scene.ts';

export const ACCOUNT = 'deployer';
export const ALL = ['get', 'list', 'watch', 'create', 'patch', 'delete'] as const;

export type Verb = (typeof ALL)[number];

export interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

export interface Tenant {
  readonly namespace: string;
  readonly application: ApplicationHandle;
  readonly repository: TestRepository;
  configMap(name: string): Promise<Json | undefined>;
  /** Gives the account other rights on ConfigMaps of its namespace than it had. */
  allow(...verbs: Verb[]): Promise<void>;
}

export interface TenantOptions {
  readonly files: Readonly<Record<string, string>>;
  /** On ConfigMaps of its own namespace. */
  readonly verbs?: readonly Verb[];
  /** In its own namespace as well. */
  readonly rules?: readonly Rule[];
  readonly spec?: Record<string, unknown>;
}

/** Retries soon, and gives nobody the agent's rights beyond its namespace. */
export async function startTenantAgent(world: World, ...flags: string[]): Promise<RunningAgent> {
  const pace = ['--max-backoff', '2s', '--progress-check', '500ms', '--hand-over-wait', '1s'];
  return world.agent({ flags: ['--allow-cross-namespace', 'false', ...pace, ...flags] });
}

/** The Application has the name of its namespace. */
export async function declareTenant(world: World, namespace: string, options: TenantOptions): Promise<Tenant> {
  const repository = await world.repository(namespace);
  await repository.commit(options.files);
  await makeNamespace(world, namespace);
  await makeAccount(world, namespace, ACCOUNT);
  const allow: Tenant['allow'] = (...verbs) =>
    grant(world, { namespace, rules: [rule('', 'configmaps', verbs), ...(options.rules ?? [])] });
  await allow(...(options.verbs ?? ALL));
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

export async function makeAccount(world: World, namespace: string, name: string): Promise<void> {
  await world.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace, name } });
}

export function rule(group: string, resource: string, verbs: readonly string[] = ALL): Rule {
  return { apiGroups: [group], resources: [resource], verbs };
}

export interface Grant {
  /** Where the rights hold; empty: everywhere. */
  readonly namespace: string;
  readonly rules: readonly Rule[];
  /** Namespace and name of the account; by default `deployer` of that namespace. */
  readonly to?: { readonly namespace: string; readonly name: string };
}

/** Gives an account exactly these rights in a namespace, whatever it had there before. */
export async function grant(
  world: World,
  { namespace, rules, to = { namespace, name: ACCOUNT } }: Grant,
): Promise<void> {
  const scope = namespace === '' ? 'ClusterRole' : 'Role';
  const metadata = { name: `${to.namespace}-${to.name}`, ...(namespace === '' ? {} : { namespace }) };
  const group = 'rbac.authorization.k8s.io';
  await world.apply({ apiVersion: `${group}/v1`, kind: scope, metadata, rules });
  await world.apply({
    apiVersion: `${group}/v1`,
    kind: `${scope}Binding`,
    metadata,
    roleRef: { apiGroup: group, kind: scope, name: metadata.name },
    subjects: [{ kind: 'ServiceAccount', ...to }],
  });
}

/** `User "system:serviceaccount:shop:deployer" cannot create resource "configmaps"`, as the API server says it. */
export function denial(namespace: string, verb: string, resource: string, account = ACCOUNT): RegExp {
  return new RegExp(`"system:serviceaccount:${namespace}:${account}" cannot ${verb} resource "${resource}"`);
}

/** Waits until Ready says so with that message; answers the Application. */
export async function untilSaid({ application }: Pick<Tenant, 'application'>, message: RegExp): Promise<Json> {
  const found = await application.until(`Ready says ${message}`, (item) => message.test(readyMessage(item)));
  assert.match(readyReason(found), /^False /);
  return found;
}

export async function untilDeleted({ application }: Pick<Tenant, 'application'>): Promise<void> {
  const isGone = await eventually(async () => ((await application.read()) === undefined ? true : undefined));
  assert.ok(isGone, JSON.stringify(at(await application.read(), 'status')));
}
