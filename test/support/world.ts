/** A world for tests of the whole agent: a real API server with our CRD, a real Git server, and agents. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { printCrd } from '../../src/application/crd.ts';
import { startControlPlane, type ControlPlane } from '../control-plane/control-plane.ts';
import { startAgentProcess, type AgentOptions, type RunningAgent } from './agent.ts';
import { createRepository, type TestRepository } from './git-repository.ts';
import { startGitServer, type GitServer } from './git-server.ts';
import { apply, kubectl } from './kubectl.ts';
import { applicationManifest, namespaceManifest } from './objects.ts';

// An object of the API server, for tests to read by paths.
export type Json = { [key: string]: Json } & { [key: number]: Json };

export interface World extends AsyncDisposable {
  readonly plane: ControlPlane;
  readonly git: GitServer;
  repository(name: string): Promise<TestRepository>;
  agent(options?: Partial<AgentOptions>): Promise<RunningAgent>;
  /** Creates or changes an object by `kubectl apply --server-side`, as a person would, with the given field manager. */
  apply(object: unknown, manager?: string): Promise<void>;
  /** undefined if the answer is 404. */
  read(path: string): Promise<Json | undefined>;
  /** Sends a request as administrator. A refused request makes the test fail. */
  send(method: string, path: string, body?: unknown): Promise<Json>;
  /** Creates an Application, by default in the namespace `apps`; creates the namespace if it is absent. */
  declare(name: string, spec: Record<string, unknown>, namespace?: string): Promise<ApplicationHandle>;
}

export interface ApplicationHandle {
  readonly path: string;
  read(): Promise<Json | undefined>;
  /**
   * Waits until the status is that of the present spec and `holds` is true. Fails with the last status after two
   * minutes; `what` names the state in that message.
   */
  until(what: string, holds: (application: Json) => boolean): Promise<Json>;
  untilReady(revision?: string): Promise<Json>;
  /** Writes the annotation of a request, for example `{ action: 'sync' }`, and resolves to the id of the request. */
  request(request: Record<string, unknown>): Promise<string>;
  /** Waits until the request with that id has its final answer. */
  answerTo(id: string): Promise<Json>;
  /** Writes a request and waits for its final answer. */
  ask(request: Record<string, unknown>): Promise<Json>;
  /** Requests a refresh and waits for its answer. */
  refresh(): Promise<Json>;
  patch(spec: Record<string, unknown>): Promise<void>;
  remove(): Promise<void>;
}

export interface WorldOptions {
  readonly mode?: 'full' | 'api-server-only';
  /** Further arguments of kube-apiserver. */
  readonly apiServerArgs?: readonly string[];
}

/** Long enough for a loaded machine, so that a test fails by behaviour and not by load. */
const PATIENCE_MS = 120_000;

export async function startWorld({ mode = 'api-server-only', apiServerArgs = [] }: WorldOptions = {}): Promise<World> {
  const root = await mkdtemp(join(tmpdir(), 'tautline-world-'));
  const plane = await startControlPlane({ mode, apiServerArgs });
  const git = await startGitServer(root);
  const agents: RunningAgent[] = [];
  const installed = await plane.kubectl(['apply', '--server-side', '-f', '-'], { input: printCrd() });
  assert.equal(installed.code, 0, installed.stderr);
  await kubectl({ plane }, ['wait', '--for=condition=Established', 'crd/applications.tautline.dev']);
  const read: World['read'] = async (path) => {
    const { code, body } = await plane.request('GET', path);
    if (code === 404) return undefined;
    assert.equal(code, 200, JSON.stringify(body));
    return body as Json;
  };
  const send: World['send'] = async (method, path, body) => {
    const answer = await plane.request(method, path, body);
    assert.ok(answer.code < 300, `${method} ${path}: ${answer.code} ${JSON.stringify(answer.body)}`);
    return answer.body as Json;
  };
  const ensureNamespace = async (name: string): Promise<void> => {
    const { code } = await plane.request('POST', '/api/v1/namespaces', namespaceManifest(name));
    assert.ok(code === 201 || code === 409);
  };
  return {
    plane,
    git,
    read,
    send,
    repository: (name) => createRepository(git, name),
    async agent(options = {}) {
      const agent = await startAgentProcess({ kubeconfig: plane.kubeconfig, ...options });
      agents.push(agent);
      return agent;
    },
    apply: (object, manager) => apply({ plane }, object, manager),
    async declare(name, spec, namespace = 'apps') {
      await ensureNamespace(namespace);
      const collection = `/apis/tautline.dev/v1alpha1/namespaces/${namespace}/applications`;
      await send('POST', collection, applicationManifest(name, spec, { namespace }));
      return handleOf(`${collection}/${name}`, { plane, read });
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(agents.map((agent) => agent[Symbol.asyncDispose]()));
      await git.stop();
      await plane.stop();
      await rm(root, { recursive: true, force: true });
    },
  };
}

function handleOf(path: string, { plane, read }: Pick<World, 'plane' | 'read'>): ApplicationHandle {
  const merge = async (body: unknown): Promise<void> => {
    const answer = await plane.request('PATCH', path, body);
    assert.equal(answer.code, 200, JSON.stringify(answer.body));
  };
  const until: ApplicationHandle['until'] = async (what, holds) => {
    let last: Json | undefined;
    const found = await eventually(async () => {
      last = await read(path);
      const status = last?.['status'];
      const isCurrent = status?.['observedGeneration'] === last?.['metadata']?.['generation'];
      return last && isCurrent && holds(last) ? last : undefined;
    });
    return (
      found ?? assert.fail(`${what}: not so after ${PATIENCE_MS} ms: ${JSON.stringify(last?.['status'], null, 1)}`)
    );
  };
  const request: ApplicationHandle['request'] = async (wish) => {
    const id = randomUUID();
    await merge({ metadata: { annotations: { 'tautline.dev/request': JSON.stringify({ id, ...wish }) } } });
    return id;
  };
  const answerTo: ApplicationHandle['answerTo'] = (id) =>
    until('the request is answered', (application) => {
      const answer = application['status']?.['lastRequest'];
      return String(answer?.['id']) === id && String(answer?.['outcome']) !== 'InProgress';
    });
  const ask: ApplicationHandle['ask'] = async (wish) => answerTo(await request(wish));
  return {
    path,
    until,
    request,
    answerTo,
    ask,
    refresh: () => ask({ action: 'refresh' }),
    read: () => read(path),
    untilReady: (revision) =>
      until(`Ready ${revision ?? ''}`, (application) => {
        const isAt = !revision || String(application['status']?.['sync']?.['revision']).endsWith(revision);
        return isAt && conditionOf(application, 'Ready')?.['status'] === ('True' as unknown);
      }),
    patch: (spec) => merge({ spec }),
    async remove() {
      const { code } = await plane.request('DELETE', path);
      assert.ok(code < 300 || code === 404);
    },
  };
}

export function conditionOf(application: Json | undefined, type: string): Json | undefined {
  const conditions: unknown = application?.['status']?.['conditions'];
  if (!Array.isArray(conditions)) return undefined;
  return (conditions as Json[]).find((condition) => String(condition['type']) === type);
}

/** Waits until `isTrue`; fails after two minutes, with `what` in the message. */
export async function untilTrue(isTrue: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const isSo = await eventually(async () => ((await isTrue()) ? true : undefined));
  assert.ok(isSo, `never came true: ${what}`);
}

/** Calls `find` until it resolves to a value; resolves to undefined after two minutes. */
export async function eventually<T>(find: () => Promise<T | undefined>): Promise<T | undefined> {
  const deadline = performance.now() + PATIENCE_MS;
  for (let waitMs = 20; ; waitMs = Math.min(waitMs * 1.5, 500)) {
    const found = await find();
    if (found !== undefined) return found;
    if (performance.now() > deadline) return undefined;
    await sleep(waitMs);
  }
}
