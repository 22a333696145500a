/**
 * The address of the API server and the credentials for it, from a kubeconfig or the ServiceAccount of the Pod.
 *
 * Invariant: a program that a kubeconfig names is run only if the caller allows it (the command line does, the agent
 * never), and no message holds a token, password or key. Only the reader of kubeconfig entries is loaded from
 * @kubernetes/client-node, since the whole package costs 85 MB; login plugins load its configuration as well.
 */
import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, resolve } from 'node:path';
import type { Cluster as KubeconfigCluster, User } from '@kubernetes/client-node/dist/config_types.js';
import { stringifyJson } from '../../object/json.ts';
import { isMap, listAt, mapAt, stringAt, type Value } from '../../object/value.ts';
import { StageError } from '../../object/stage-error.ts';
import { mergeKubeconfigs } from './merge-kubeconfigs.ts';

export type ClusterSource =
  | {
      readonly type: 'kubeconfig';
      readonly file: string;
      /** Further files; their entries count where `file` has none of that name. */
      readonly more?: readonly string[];
      /** Default: the file's current-context. */
      readonly context?: string;
      /** Whether `exec` and `auth-provider` logins may run programs. Default false. */
      readonly allowPlugins?: boolean;
    }
  /** A kubeconfig that is not a file, but the value of a Secret: it may name neither files nor plugins. */
  | { readonly type: 'kubeconfigText'; readonly text: string; readonly context?: string }
  | {
      readonly type: 'inCluster';
      readonly host: string;
      readonly port: string;
      /** Default `/var/run/secrets/kubernetes.io/serviceaccount`. */
      readonly directory?: string;
    };

export interface TlsOptions {
  readonly ca?: string | Buffer;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
}

export interface Credentials {
  /** URL of the API server, without a trailing slash. */
  readonly server: string;
  readonly tls: TlsOptions;
  /** The namespace of the context or of the Pod, if there is one. */
  readonly namespace: string | undefined;
  /** Value of the Authorization header, if there is one. `mustRenew`: read it again instead of using the cached one. */
  readonly authorization: (options: { mustRenew: boolean }) => Promise<string | undefined>;
}

const SERVICE_ACCOUNT_DIRECTORY = '/var/run/secrets/kubernetes.io/serviceaccount';
/** As often as client-go; the kubelet replaces the file long before its token expires. */
const TOKEN_REREAD_MS = 60_000;

/** Throws StageError `ClusterConfigInvalid`. */
export async function loadCredentials(source: ClusterSource): Promise<Credentials> {
  if (source.type === 'inCluster') return loadInCluster(source);
  if (source.type === 'kubeconfigText') return readKubeconfig(source.text, { ...source, origin: 'the kubeconfig' });
  const { file, more = [] } = source;
  const origin = more.length > 0 ? `kubeconfigs ${[file, ...more].join(', ')}` : `kubeconfig ${file}`;
  const text = more.length > 0 ? await readMerged([file, ...more]) : await readText(file);
  return readKubeconfig(text, { ...source, origin });
}

async function readMerged(files: readonly string[]): Promise<string> {
  const roots = files.map(async (file) => {
    return { file, root: await parseKubeconfig(await readText(file), `kubeconfig ${file}`) };
  });
  return stringifyJson(mergeKubeconfigs(await Promise.all(roots)));
}

function readText(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    throw invalid(`cannot read kubeconfig ${file}: ${errorCode(error)}`);
  });
}

interface ReadOptions {
  readonly origin: string;
  readonly file?: string;
  readonly context?: string;
  readonly allowPlugins?: boolean;
}

async function readKubeconfig(text: string, options: ReadOptions): Promise<Credentials> {
  const { origin } = options;
  const { newClusters, newUsers } = await import('@kubernetes/client-node/dist/config_types.js');
  const root = await parseKubeconfig(text, origin);
  const contextName = options.context ?? stringAt(root, 'current-context') ?? '';
  const context = named(root, 'contexts', contextName, 'context');
  if (!context) throw invalid(`${origin} has no context '${contextName}'; name one of its contexts`);
  const clusterName = stringAt(context, 'cluster') ?? '';
  const userName = stringAt(context, 'user') ?? '';
  const rawUser = named(root, 'users', userName, 'user');
  const tokenFile = stringAt(rawUser, 'tokenFile');
  let cluster: KubeconfigCluster | undefined;
  let user: User | undefined;
  try {
    cluster = newClusters(pick(root, 'clusters', clusterName))[0];
    user = newUsers(pick(root, 'users', userName))[0];
  } catch {
    throw invalid(`${origin} is malformed: check cluster '${clusterName}' and user '${userName}'`);
  }
  if (!cluster) throw invalid(`${origin} has no cluster '${clusterName}', but its context '${contextName}' names it`);
  if (cluster.proxyUrl) throw invalid(`${origin}: proxy-url is not supported; reach the API server without a proxy`);
  const server = checkServer(cluster.server, origin);
  const namespace = stringAt(context, 'namespace');
  const tls = await readTls({ cluster, user, options });
  if (user && (user.exec || user.authProvider)) {
    return loginByPlugin({ text, contextName, server, tls, namespace, options });
  }
  if (user?.impersonateUser) throw invalid(`${origin}: 'as' is not supported; use that user's own credentials`);
  if (tokenFile !== undefined) {
    const path = filePath(tokenFile, options);
    return { server, tls, namespace, authorization: bearerFromFile(path) };
  }
  const header = staticAuthorization(user);
  return { server, tls, namespace, authorization: () => Promise.resolve(header) };
}

/** js-yaml reads kubeconfigs in JSON as well, since JSON is YAML. */
async function parseKubeconfig(text: string, origin: string): Promise<Value> {
  const { load } = await import('js-yaml');
  try {
    const root = load(text) as Value;
    if (isMap(root)) return root;
  } catch {
    // The parser's message is dropped: it quotes the line, which may hold a token.
  }
  throw invalid(`${origin} is not a kubeconfig: it must be a YAML or JSON map`);
}

function named(root: Value, list: string, name: string, member: string): Value | undefined {
  const entry = listAt(root, list).find((item) => stringAt(item, 'name') === name);
  return entry === undefined ? undefined : mapAt(entry, member);
}

function pick(root: Value, list: string, name: string): Value[] {
  return listAt(root, list).filter((item) => stringAt(item, 'name') === name);
}

function checkServer(server: string, origin: string): string {
  let url: URL;
  try {
    url = new URL(server);
  } catch {
    throw invalid(`${origin}: the server address is not a URL`);
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw invalid(`${origin}: the server address must begin with https:// or http://`);
  if (url.username || url.password) throw invalid(`${origin}: the server address must not hold credentials`);
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}

interface TlsSource {
  readonly cluster: KubeconfigCluster;
  readonly user: User | undefined;
  readonly options: ReadOptions;
}

async function readTls({ cluster, user, options }: TlsSource): Promise<TlsOptions> {
  const [ca, cert, key] = await Promise.all([
    readPem(cluster.caData, cluster.caFile, options),
    readPem(user?.certData, user?.certFile, options),
    readPem(user?.keyData, user?.keyFile, options),
  ]);
  return {
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
    ...(cluster.tlsServerName && { servername: cluster.tlsServerName }),
    ...(cluster.skipTLSVerify && { rejectUnauthorized: false }),
  };
}

async function readPem(
  data: string | null | undefined,
  file: string | null | undefined,
  options: ReadOptions,
): Promise<Buffer | undefined> {
  if (data) return Buffer.from(data, 'base64');
  if (!file) return undefined;
  const path = filePath(file, options);
  return readFile(path).catch((error: unknown) => {
    throw invalid(`${options.origin} names ${path}, which cannot be read: ${errorCode(error)}`);
  });
}

/** Relative to the kubeconfig's folder. A kubeconfig from a Secret must not make the agent read its own files. */
function filePath(path: string, { origin, file }: ReadOptions): string {
  if (file === undefined) throw invalid(`${origin} names a file; put the certificate or token itself into it`);
  return isAbsolute(path) ? path : resolve(dirname(file), path);
}

function staticAuthorization(user: User | undefined): string | undefined {
  if (user?.token) return `Bearer ${user.token.trim()}`;
  if (user?.username) return `Basic ${Buffer.from(`${user.username}:${user.password ?? ''}`).toString('base64')}`;
  return undefined;
}

interface PluginLogin {
  readonly text: string;
  readonly contextName: string;
  readonly server: string;
  readonly tls: TlsOptions;
  readonly namespace: string | undefined;
  readonly options: ReadOptions;
}

async function loginByPlugin({
  text,
  contextName,
  server,
  tls,
  namespace,
  options,
}: PluginLogin): Promise<Credentials> {
  const { origin } = options;
  if (!options.allowPlugins) {
    throw invalid(
      `${origin} logs in by a plugin (exec or auth-provider), which is not run here; use a token or certificate`,
    );
  }
  const { KubeConfig } = await import('@kubernetes/client-node/dist/config.js');
  const login = async (): Promise<{ authorization: string | undefined; cert?: string; key?: string }> => {
    const config = new KubeConfig();
    config.loadFromString(text);
    config.setCurrentContext(contextName);
    if (options.file !== undefined) config.makePathsAbsolute(dirname(options.file));
    const request: Parameters<typeof config.applyToHTTPSOptions>[0] = { headers: {} };
    try {
      await config.applyToHTTPSOptions(request);
    } catch {
      // The plugin's own output is dropped, since it may hold a token.
      throw invalid(`the login plugin of ${origin} failed; run a kubectl command with this kubeconfig to see why`);
    }
    const headers = request.headers as Record<string, string> | undefined;
    return {
      authorization: headers?.['Authorization'],
      ...(typeof request.cert === 'string' && { cert: request.cert }),
      ...(typeof request.key === 'string' && { key: request.key }),
    };
  };
  const first = await login();
  let current = first.authorization;
  return {
    server,
    tls: { ...tls, ...(first.cert && { cert: first.cert }), ...(first.key && { key: first.key }) },
    namespace,
    async authorization({ mustRenew }) {
      if (mustRenew) current = (await login()).authorization;
      return current;
    },
  };
}

async function loadInCluster(source: ClusterSource & { type: 'inCluster' }): Promise<Credentials> {
  const directory = source.directory ?? SERVICE_ACCOUNT_DIRECTORY;
  const host = source.host.includes(':') ? `[${source.host}]` : source.host;
  const ca = await readFile(resolve(directory, 'ca.crt')).catch((error: unknown) => {
    throw invalid(
      `no ServiceAccount is mounted at ${directory} (${errorCode(error)}); outside a cluster, name a kubeconfig`,
    );
  });
  const namespace = await readFile(resolve(directory, 'namespace'), 'utf8').catch(() => undefined);
  return {
    server: `https://${host}:${source.port}`,
    tls: { ca },
    namespace: namespace?.trim() || undefined,
    authorization: bearerFromFile(resolve(directory, 'token')),
  };
}

function bearerFromFile(path: string): Credentials['authorization'] {
  let header: string | undefined;
  let readAtMs = 0;
  return async ({ mustRenew }) => {
    if (!mustRenew && header !== undefined && performance.now() - readAtMs < TOKEN_REREAD_MS) return header;
    const token = await readFile(path, 'utf8').catch((error: unknown) => {
      throw invalid(`cannot read the token file ${path}: ${errorCode(error)}`);
    });
    header = `Bearer ${token.trim()}`;
    readAtMs = performance.now();
    return header;
  };
}

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
}

function invalid(message: string): StageError {
  return new StageError({ stage: 'observe', code: 'ClusterConfigInvalid', retry: 'never', message });
}
