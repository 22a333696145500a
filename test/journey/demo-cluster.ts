/** The cluster of the demo: a new control plane with simulated nodes, or the cluster of KUBECONFIG. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter } from 'node:path';
import { startControlPlane, type ControlPlane } from '../control-plane/control-plane.ts';

export interface DemoCluster extends AsyncDisposable {
  readonly kubeconfig: string;
  /** The start of a command line, for people who have no kubectl. */
  readonly kubectlCommand: string;
  /** Runs kubectl. Resolves to its output; rejects with its error message. */
  kubectl(args: readonly string[], input?: string): Promise<string>;
  /** Server-side apply of a manifest. */
  apply(manifest: string): Promise<void>;
  /** The object, or undefined if it does not exist. */
  get(kind: string, name: string, namespace?: string): Promise<KubernetesObject | undefined>;
}

/** The fields of kubectl's JSON output that the demo reads. */
export interface KubernetesObject {
  readonly metadata: { readonly name: string; readonly generation?: number };
  readonly spec?: { readonly replicas?: number };
  readonly data?: Readonly<Record<string, string>>;
  readonly status?: {
    readonly observedGeneration?: number;
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[];
    readonly health?: { readonly status: string };
    readonly sync?: { readonly status: string; readonly revision?: string };
    readonly counts?: { readonly total: number; readonly synced: number };
  };
}

export async function openCluster({ isExternal }: { isExternal: boolean }): Promise<DemoCluster> {
  if (isExternal) return externalCluster();
  return demoCluster(await startControlPlane({ mode: 'full' }));
}

/** Wraps a control plane for the demo. The control plane stops when the result is disposed of. */
export function demoCluster(plane: ControlPlane): DemoCluster {
  const run = async (args: readonly string[], input?: string): Promise<string> => {
    const { code, stdout, stderr } = await plane.kubectl(args, input === undefined ? {} : { input });
    if (code !== 0) throw new Error(stderr.trim());
    return stdout;
  };
  const { kubeconfig, kubectlCommand } = plane;
  return clusterBy({ kubeconfig, kubectlCommand, kubectl: run, stop: () => plane.stop() });
}

function externalCluster(): DemoCluster {
  const kubeconfig = process.env['KUBECONFIG'];
  if (!kubeconfig) throw new Error('--cluster needs KUBECONFIG: set it to the path of a kubeconfig file');
  // Without a file kubectl would talk to a server on this machine.
  if (!kubeconfig.split(delimiter).some((file) => existsSync(file))) {
    throw new Error(`there is no kubeconfig at ${kubeconfig}: set KUBECONFIG to a file that exists`);
  }
  return clusterBy({ kubeconfig, kubectlCommand: 'kubectl', kubectl: runKubectl, stop: async () => undefined });
}

type Kubectl = (args: readonly string[], input?: string) => Promise<string>;

interface ClusterParts extends Pick<DemoCluster, 'kubeconfig' | 'kubectlCommand'> {
  readonly kubectl: Kubectl;
  readonly stop: () => Promise<void>;
}

function clusterBy({ kubeconfig, kubectlCommand, kubectl, stop }: ClusterParts): DemoCluster {
  return {
    kubeconfig,
    kubectlCommand,
    kubectl,
    async apply(manifest) {
      await kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], manifest);
    },
    async get(kind, name, namespace) {
      const scope = namespace === undefined ? [] : ['-n', namespace];
      const text = await kubectl(['get', kind, name, ...scope, '--ignore-not-found', '-o', 'json']);
      return text.trim() ? (JSON.parse(text) as KubernetesObject) : undefined;
    },
    [Symbol.asyncDispose]: stop,
  };
}

/** Runs the kubectl of PATH, with the KUBECONFIG of the environment. */
function runKubectl(args: readonly string[], input?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('kubectl', args, { stdio: ['pipe', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.once('error', () => reject(new Error('--cluster needs kubectl: add it to PATH')));
    child.once('close', (code) => (code === 0 ? resolve(stdout) : reject(new Error(stderr.trim()))));
    child.stdin.end(input ?? '');
  });
}
