/**
 * Starts a real Kubernetes control plane for the demo and the tests: etcd and the API server, or these with controller
 * manager, scheduler and simulated nodes, on which Deployments roll out.
 *
 * Invariant: no program and no file outlives stop() or the process that called startControlPlane, however that process
 * ends. Every part listens on 127.0.0.1. Two control planes share nothing.
 */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findPrograms } from './binaries.ts';
import type { Executable, FindProgram } from './binaries.ts';
import {
  apiServerUrl,
  certificateFile,
  componentArguments,
  kubeconfigFile,
  kubeconfigText,
  kwokStagesFile,
  layOut,
} from './components.ts';
import type { Component, Layout, User } from './components.ts';
import { exists } from './go-build.ts';
import { expectKubernetes, kubernetesRequest, waitUntil } from './kubernetes-request.ts';
import type { Access, KubernetesAnswer } from './kubernetes-request.ts';
import { addNodes, hasReadyNodes } from './simulated-nodes.ts';
import { SupervisedProcess } from './supervised-process.ts';

export interface ControlPlaneOptions {
  /**
   * 'api-server-only' is etcd and the API server. No controller runs: Deployments get no Pods, namespaces get no
   * default ServiceAccount, objects of a deleted namespace or of a deleted owner stay, and the aggregated ClusterRoles
   * admin, edit and view are empty (cluster-admin works).
   */
  readonly mode: 'full' | 'api-server-only';
  /** Simulated nodes, in full mode only. Default 1. */
  readonly nodes?: number;
  /** Folder for the logs of the parts; it is kept. Without it, stop() removes the logs with the other files. */
  readonly logDirectory?: string;
  /** Further arguments of kube-apiserver, for example `--goaway-chance=0.02`. */
  readonly apiServerArgs?: readonly string[];
}

export interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

export interface ControlPlane extends AsyncDisposable {
  /** https://127.0.0.1:port */
  readonly url: string;
  /** File with a cluster administrator's kubeconfig. */
  readonly kubeconfig: string;
  readonly adminToken: string;
  readonly caFile: string;
  /** For people who have no kubectl: the start of a command line. */
  readonly kubectlCommand: string;
  /** A token of this ServiceAccount, valid for an hour. Creates the namespace and the ServiceAccount if absent. */
  serviceAccountToken(namespace: string, name: string): Promise<string>;
  /** Runs kubectl as administrator. A failure of kubectl is in `code`; it does not reject. */
  kubectl(args: readonly string[], options?: { readonly input?: string }): Promise<CommandResult>;
  /** Sends one request as administrator. Resolves to the answer, whatever its status code. */
  request(method: string, path: string, body?: unknown): Promise<KubernetesAnswer>;
  /**
   * Signals one part. For SIGKILL it resolves when the part is gone. SIGTERM of the API server takes up to a minute.
   */
  kill(component: Component, signal: NodeJS.Signals): Promise<void>;
  /**
   * Kills a part if it runs, and starts it again with the same port and data. Resolves when the API server is ready, or
   * at once if the API server does not run.
   */
  restart(component: Component): Promise<void>;
  stop(): Promise<void>;
}

const componentsOf: Readonly<Record<ControlPlaneOptions['mode'], readonly Component[]>> = {
  'api-server-only': ['etcd', 'kube-apiserver'],
  full: ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kwok'],
};

/**
 * Resolves when the API server is ready, and in full mode when the controllers run and all nodes take Pods. The first
 * call on a machine may build for some minutes. Throws with the end of the log of the part that failed.
 */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const components = componentsOf[options.mode];
  const isFull = options.mode === 'full';
  const program = await findPrograms([...components, 'kubectl', ...(isFull ? (['kwok-stages'] as const) : [])]);
  // The path is short, since that of etcd's socket may have at most about 100 characters.
  const directory = await mkdtemp(join(tmpdir(), 'tautline-'));
  const logDirectory = options.logDirectory ?? join(directory, 'logs');
  const running = new Map<Component, SupervisedProcess>();
  const plane: Plane = { directory, logDirectory, program, running, layout: undefined };
  try {
    await mkdir(logDirectory, { recursive: true });
    const layout = await layOut(directory, options.apiServerArgs ?? []);
    const started: StartedPlane = { ...plane, layout };
    await startComponent(started, 'etcd');
    await startComponent(started, 'kube-apiserver');
    await apiServerReady(started);
    await writeKubeconfigs(layout);
    if (isFull) await startControllers(started, options.nodes ?? 1);
    return controlPlane(started);
  } catch (error) {
    await stop(plane);
    throw error;
  }
}

interface Plane {
  readonly directory: string;
  readonly logDirectory: string;
  readonly program: FindProgram;
  readonly running: Map<Component, SupervisedProcess>;
  readonly layout: Layout | undefined;
}

interface StartedPlane extends Plane {
  readonly layout: Layout;
}

function controlPlane(plane: StartedPlane): ControlPlane {
  const access = adminAccess(plane.layout);
  const kubectl = plane.program('kubectl');
  const kubeconfig = kubeconfigFile(plane.layout, 'admin');
  let stopped: Promise<void> | undefined;
  const stopOnce = (): Promise<void> => (stopped ??= stop(plane));
  return {
    url: access.url,
    kubeconfig,
    adminToken: access.token,
    caFile: access.caFile,
    kubectlCommand: [kubectl.command, ...kubectl.args].join(' '),
    serviceAccountToken: (namespace, name) => serviceAccountToken(access, namespace, name),
    kubectl: (args, { input } = {}) =>
      run(kubectl, args, {
        ...(input !== undefined && { input }),
        environment: {
          KUBECONFIG: kubeconfig,
          KUBECACHEDIR: join(plane.directory, 'kubectl-cache'),
          KUBECTL_KUBERC: 'false',
        },
      }),
    request: (method, path, body) => kubernetesRequest(access, method, path, body),
    kill: async (component, signal) => processOf(plane, component).kill(signal),
    restart: async (component) => {
      await processOf(plane, component).kill('SIGKILL');
      await startComponent(plane, component);
      // A test may have killed the API server too, and restart etcd before it.
      if (processOf(plane, 'kube-apiserver').isRunning) await apiServerReady(plane);
    },
    stop: stopOnce,
    [Symbol.asyncDispose]: stopOnce,
  };
}

function processOf(plane: Plane, component: Component): SupervisedProcess {
  const found = plane.running.get(component);
  if (!found) throw new Error(`${component} is not part of this control plane (mode api-server-only)`);
  return found;
}

async function startComponent(plane: StartedPlane, component: Component): Promise<void> {
  const started = await SupervisedProcess.start({
    name: component,
    executable: plane.program(component),
    args: componentArguments[component](plane.layout),
    logFile: join(plane.logDirectory, `${component}.log`),
    environment: {
      // Less processor time for collecting garbage, against more memory: dozens of control planes start in one run.
      GOGC: '400',
      // etcd writes most of the data, so etcd (or its guard) removes it after the launcher was killed.
      ...(component === 'etcd' && { CONTROL_PLANE_DATA: plane.directory }),
    },
  });
  plane.running.set(component, started);
}

async function startControllers(plane: StartedPlane, nodes: number): Promise<void> {
  const { layout } = plane;
  const access = adminAccess(layout);
  const stages = await run(plane.program('kwok-stages'), [], {});
  if (stages.code !== 0) throw new Error(`kwok-stages failed: ${stages.stderr}`);
  await writeFile(kwokStagesFile(layout), stages.stdout);
  await addNodes(access, nodes);
  await startComponent(plane, 'kube-controller-manager');
  await startComponent(plane, 'kube-scheduler');
  await startComponent(plane, 'kwok');
  const findFailure = (): Promise<string | undefined> => endedEarly(plane);
  for (const [part, port] of [
    ['kube-controller-manager', layout.controllerManagerPort],
    ['kube-scheduler', layout.schedulerPort],
  ] as const) {
    const server = { ...access, url: `https://127.0.0.1:${port}`, caFile: certificateFile(layout, part) };
    const isReady = async (): Promise<boolean> => (await kubernetesRequest(server, 'GET', '/healthz')).code === 200;
    await waitUntil({ name: part, isReady, findFailure });
  }
  await waitUntil({ name: 'the simulated nodes', isReady: () => hasReadyNodes(access, nodes), findFailure });
  const account = '/api/v1/namespaces/default/serviceaccounts/default';
  await waitUntil({
    name: 'the default ServiceAccount',
    isReady: async () => (await kubernetesRequest(access, 'GET', account)).code === 200,
    findFailure,
  });
}

async function apiServerReady(plane: StartedPlane): Promise<void> {
  const access = adminAccess(plane.layout);
  await waitUntil({
    name: 'the API server',
    // The read of an object goes to etcd; /readyz alone would not notice that etcd has just been killed.
    isReady: async () =>
      (await exists(access.caFile)) &&
      (await kubernetesRequest(access, 'GET', '/readyz')).code === 200 &&
      (await kubernetesRequest(access, 'GET', '/api/v1/namespaces/default')).code === 200,
    findFailure: () => endedEarly(plane),
  });
}

async function endedEarly(plane: Plane): Promise<string | undefined> {
  for (const process of plane.running.values()) {
    if (!process.isRunning) return `${process.name} has ended; its log ends with\n${await process.lastLog()}`;
  }
  return undefined;
}

async function writeKubeconfigs(layout: Layout): Promise<void> {
  const authority = await readFile(certificateFile(layout, 'kube-apiserver'));
  for (const user of Object.keys(layout.tokens) as User[]) {
    await writeFile(kubeconfigFile(layout, user), kubeconfigText(layout, user, authority), { mode: 0o600 });
  }
}

function adminAccess(layout: Layout): Access {
  return { url: apiServerUrl(layout), caFile: certificateFile(layout, 'kube-apiserver'), token: layout.tokens.admin };
}

async function serviceAccountToken(access: Access, namespace: string, name: string): Promise<string> {
  const accounts = `/api/v1/namespaces/${namespace}/serviceaccounts`;
  const create = (path: string, body: unknown): Promise<unknown> =>
    expectKubernetes(access, { method: 'POST', path, body, alsoFine: [409] });
  await create('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  await create(accounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } });
  const answer = await expectKubernetes(access, {
    method: 'POST',
    path: `${accounts}/${name}/token`,
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 3600 } },
  });
  return (answer as { status: { token: string } }).status.token;
}

/** Kills all parts, the last one first, and removes their files. */
async function stop(plane: Plane): Promise<void> {
  for (const process of [...plane.running.values()].reverse()) await process.kill('SIGKILL');
  await rm(plane.directory, { recursive: true, force: true });
}

async function run(
  executable: Executable,
  args: readonly string[],
  options: { readonly input?: string; readonly environment?: NodeJS.ProcessEnv },
): Promise<CommandResult> {
  const child = spawn(executable.command, [...executable.args, ...args], {
    env: { ...process.env, ...options.environment },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input);
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode) => resolve(exitCode ?? 1));
  });
  return { stdout: Buffer.concat(stdout).toString('utf8'), stderr: Buffer.concat(stderr).toString('utf8'), code };
}
