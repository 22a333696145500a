/**
 * The arguments of each part of the control plane, and the files that must exist before it starts.
 *
 * Invariant: everything listens on 127.0.0.1 (or a Unix socket) only, and writes only below `Layout.directory`.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';

export type Component = 'etcd' | 'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler' | 'kwok';

/** Users of the token file; the controllers get exactly the rights that Kubernetes gives them by name. */
const users = {
  admin: 'system:masters',
  'system:kube-controller-manager': '',
  'system:kube-scheduler': '',
} as const;
export type User = keyof typeof users;

/**
 * Names, ports and secrets of one control plane. They are fixed while it runs, so that a restarted part finds the same.
 */
export interface Layout {
  readonly directory: string;
  readonly apiServerPort: number;
  readonly controllerManagerPort: number;
  readonly schedulerPort: number;
  readonly tokens: Readonly<Record<User, string>>;
  readonly apiServerArgs: readonly string[];
}

export function apiServerUrl(layout: Layout): string {
  return `https://127.0.0.1:${layout.apiServerPort}`;
}

/** Path of the certificate that a part makes at its first start, with the authority that signed it. */
export function certificateFile(
  layout: Layout,
  part: 'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler',
): string {
  return join(layout.directory, 'certificates', `${part === 'kube-apiserver' ? 'apiserver' : part}.crt`);
}

export function kubeconfigFile(layout: Layout, user: User): string {
  return join(layout.directory, `${user.replace('system:', '')}.kubeconfig`);
}

export function kwokStagesFile(layout: Layout): string {
  return join(layout.directory, 'kwok-stages.yaml');
}

/** The arguments of each part. */
export const componentArguments: Readonly<Record<Component, (layout: Layout) => readonly string[]>> = {
  etcd: ({ directory }) => [
    `--data-dir=${join(directory, 'etcd')}`,
    `--listen-client-urls=${etcdUrl(directory)}`,
    // Announced to other members only, and there are none. etcd accepts no Unix socket here.
    '--advertise-client-urls=http://127.0.0.1:0',
    '--listen-peer-urls=http://127.0.0.1:0',
    '--unsafe-no-fsync=true',
    '--log-level=warn',
  ],
  'kube-apiserver': (layout) => [
    `--etcd-servers=${etcdUrl(layout.directory)}`,
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    // Kubernetes refuses a loopback address as the endpoint of the `kubernetes` Service.
    '--endpoint-reconciler-type=none',
    `--secure-port=${layout.apiServerPort}`,
    `--cert-dir=${join(layout.directory, 'certificates')}`,
    `--token-auth-file=${join(layout.directory, 'tokens.csv')}`,
    '--authorization-mode=RBAC',
    '--enable-admission-plugins=ServiceAccount,PodSecurity',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${join(layout.directory, 'service-account.pub')}`,
    `--service-account-signing-key-file=${join(layout.directory, 'service-account.key')}`,
    '--service-cluster-ip-range=10.96.0.0/16',
    '--allow-privileged=true',
    '--profiling=false',
    ...layout.apiServerArgs,
  ],
  'kube-controller-manager': (layout) => [
    ...controllerArguments(layout, 'system:kube-controller-manager', layout.controllerManagerPort),
    '--use-service-account-credentials=true',
    `--root-ca-file=${certificateFile(layout, 'kube-apiserver')}`,
    `--service-account-private-key-file=${join(layout.directory, 'service-account.key')}`,
    // Simulated nodes send heartbeats slowly, and a stalled machine must not lead to evictions.
    '--node-monitor-grace-period=10m',
  ],
  'kube-scheduler': (layout) => controllerArguments(layout, 'system:kube-scheduler', layout.schedulerPort),
  kwok: (layout) => [
    `--kubeconfig=${kubeconfigFile(layout, 'admin')}`,
    `--config=${kwokStagesFile(layout)}`,
    '--manage-all-nodes=true',
    '--node-ip=10.0.0.1',
    '--cidr=10.0.0.0/16',
  ],
};

function controllerArguments(layout: Layout, user: User, port: number): readonly string[] {
  return [
    `--kubeconfig=${kubeconfigFile(layout, user)}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${port}`,
    `--cert-dir=${join(layout.directory, 'certificates')}`,
    '--leader-elect=false',
    '--profiling=false',
  ];
}

function etcdUrl(directory: string): string {
  return `unix://${join(directory, 'etcd.sock')}`;
}

/** Chooses ports and secrets, and writes the files that the API server reads at its start. */
export async function layOut(directory: string, apiServerArgs: readonly string[]): Promise<Layout> {
  const layout: Layout = {
    directory,
    apiServerPort: await freePort(),
    controllerManagerPort: await freePort(),
    schedulerPort: await freePort(),
    tokens: {
      admin: randomBytes(24).toString('hex'),
      'system:kube-controller-manager': randomBytes(24).toString('hex'),
      'system:kube-scheduler': randomBytes(24).toString('hex'),
    },
    apiServerArgs,
  };
  await mkdir(join(directory, 'certificates'));
  const { publicKey, privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  });
  await writeFile(join(directory, 'service-account.key'), privateKey, { mode: 0o600 });
  await writeFile(join(directory, 'service-account.pub'), publicKey);
  const rows = Object.entries(users).map(
    ([user, group]) => `${layout.tokens[user as User]},${user},${user}${group && `,"${group}"`}\n`,
  );
  await writeFile(join(directory, 'tokens.csv'), rows.join(''), { mode: 0o600 });
  return layout;
}

/** The text of a kubeconfig that needs no other file. JSON is YAML. */
export function kubeconfigText(layout: Layout, user: User, certificateAuthority: Buffer): string {
  const name = 'control-plane';
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    clusters: [
      {
        name,
        cluster: {
          server: apiServerUrl(layout),
          'certificate-authority-data': certificateAuthority.toString('base64'),
        },
      },
    ],
    users: [{ name: user, user: { token: layout.tokens[user] } }],
    contexts: [{ name, context: { cluster: name, user, namespace: 'default' } }],
  });
}

/**
 * Ports below the range of outgoing connections, so that a restarted server gets the same port again.
 */
const ports = { first: 20_000, count: 12_000, attempts: 100 };

export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < ports.attempts; attempt += 1) {
    const port = ports.first + Math.floor(Math.random() * ports.count);
    const isFree = await new Promise<boolean>((resolve) => {
      const server = createServer();
      server.once('error', () => resolve(false));
      server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
  throw new Error(`no free port on 127.0.0.1 among ${ports.attempts} tried from ${ports.first}`);
}
