/**
 * A small OCI registry, and Helm repositories beside it, for tests: the requests that clients send, the answers of real
 * servers, and switches for what goes wrong. It listens on 127.0.0.1 and keeps everything in memory.
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface RegistryServer {
  /** `127.0.0.1:port`. */
  readonly host: string;
  /** `http://127.0.0.1:port`. */
  readonly url: string;
  /** Requests so far, oldest first. Empty it with `requests.length = 0`. */
  readonly requests: SeenRequest[];
  /** Stores an artifact and sets a tag on it. Resolves to the digest of its manifest. */
  push(name: string, tag: string, artifact: PushedArtifact): string;
  /** Stores a manifest as it is. Resolves to its digest. */
  putManifest(name: string, tag: string | undefined, manifest: unknown, mediaType?: string): string;
  /** Resolves to its digest. */
  putBlob(content: Uint8Array): string;
  deleteTag(name: string, tag: string): void;
  /** Serves a file at a path. */
  putFile(path: string, content: string | Uint8Array, headers?: Readonly<Record<string, string>>): void;
  /** Answers requests before the registry does; true: it has answered. */
  intercept: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
  /** Clients must show it. undefined: everyone may read. */
  login: { readonly username: string; readonly password: string; readonly challenge: 'basic' | 'bearer' } | undefined;
  stop(): Promise<void>;
}

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
}

export interface PushedArtifact {
  /** The archive, one layer. */
  readonly content: Uint8Array;
  /** Default: that of `flux push artifact`. */
  readonly mediaType?: string;
  readonly configType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

export const FLUX_LAYER = 'application/vnd.cncf.flux.content.v1.tar+gzip';
export const CHART_LAYER = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip';
export const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

export function digestOf(content: Uint8Array): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

interface Stored {
  readonly content: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

const TAGS_PER_PAGE = 100;
const TOKEN = 'token-of-the-test-registry';

export async function startRegistry(): Promise<RegistryServer> {
  const blobs = new Map<string, Buffer>();
  const manifests = new Map<string, Stored>();
  const files = new Map<string, Stored>();
  const server = createServer((request, response) => {
    request.resume();
    const { method = '', url = '' } = request;
    registry.requests.push({ method, path: url, authorization: request.headers.authorization });
    if (registry.intercept?.(request, response)) return;
    answer(request, response, new URL(url, registry.url));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;

  function answer(request: IncomingMessage, response: ServerResponse, url: URL): void {
    const { login } = registry;
    if (url.pathname === '/token') {
      const isKnown = !login || request.headers.authorization === basic(login);
      return send(response, isKnown ? 200 : 401, JSON.stringify({ token: TOKEN, expires_in: 300 }));
    }
    const wanted = login && (login.challenge === 'basic' ? basic(login) : `Bearer ${TOKEN}`);
    if (wanted !== undefined && request.headers.authorization !== wanted) {
      const bearer = `Bearer realm="${registry.url}/token",service="test",scope="repository:any:pull"`;
      const challenge = login?.challenge === 'basic' ? 'Basic realm="test"' : bearer;
      return refuse(response, 401, 'UNAUTHORIZED', { 'www-authenticate': challenge });
    }
    const file = files.get(url.pathname);
    if (file) return sendStored(request, response, file);
    const [, name = '', kind = '', reference = ''] =
      /^\/v2\/(.+)\/(manifests|blobs|tags|referrers)\/(.+)$/.exec(url.pathname) ?? [];
    if (kind === 'tags') return sendTags(response, name, url);
    if (kind === 'blobs') {
      const blob = blobs.get(reference);
      return blob ? send(response, 200, blob) : refuse(response, 404, 'BLOB_UNKNOWN');
    }
    const manifest = kind === 'manifests' ? manifests.get(`${name} ${reference}`) : undefined;
    return manifest ? sendStored(request, response, manifest) : refuse(response, 404, 'MANIFEST_UNKNOWN');
  }

  function sendTags(response: ServerResponse, name: string, url: URL): void {
    const all = [...manifests.keys()]
      .filter((key) => key.startsWith(`${name} `) && !key.includes(' sha256:'))
      .map((key) => key.slice(name.length + 1));
    const last = url.searchParams.get('last');
    const from = last === null ? 0 : all.indexOf(last) + 1;
    const page = all.slice(from, from + TAGS_PER_PAGE);
    const next = `</v2/${name}/tags/list?last=${page.at(-1)}&n=${TAGS_PER_PAGE}>; rel="next"`;
    const hasMore = from + page.length < all.length;
    send(response, 200, JSON.stringify({ name, tags: page }), hasMore ? { link: next } : {});
  }

  const registry: RegistryServer = {
    host,
    url: `http://${host}`,
    requests: [],
    intercept: undefined,
    login: undefined,
    push(
      name,
      tag,
      { content, mediaType = FLUX_LAYER, configType = 'application/vnd.oci.empty.v1+json', annotations },
    ) {
      const config = Buffer.from('{}');
      return registry.putManifest(name, tag, {
        schemaVersion: 2,
        mediaType: MANIFEST,
        config: { mediaType: configType, digest: registry.putBlob(config), size: config.length },
        layers: [{ mediaType, digest: registry.putBlob(content), size: content.length }],
        ...(annotations && { annotations }),
      });
    },
    putManifest(name, tag, manifest, mediaType = MANIFEST) {
      const content = Buffer.from(JSON.stringify(manifest));
      const digest = digestOf(content);
      const stored = { content, headers: { 'content-type': mediaType, 'docker-content-digest': digest } };
      manifests.set(`${name} ${digest}`, stored);
      if (tag !== undefined) manifests.set(`${name} ${tag}`, stored);
      return digest;
    },
    putBlob(content) {
      blobs.set(digestOf(content), Buffer.from(content));
      return digestOf(content);
    },
    deleteTag: (name, tag) => void manifests.delete(`${name} ${tag}`),
    putFile: (path, content, headers = {}) => void files.set(path, { content: Buffer.from(content), headers }),
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return registry;
}

function basic({ username, password }: { readonly username: string; readonly password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

function sendStored(request: IncomingMessage, response: ServerResponse, { content, headers }: Stored): void {
  const etag = `"${digestOf(content).slice(7, 23)}"`;
  if (request.headers['if-none-match'] === etag) return send(response, 304, '');
  send(response, 200, request.method === 'HEAD' ? '' : content, { etag, ...headers });
}

function refuse(
  response: ServerResponse,
  status: number,
  code: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = JSON.stringify({ errors: [{ code, message: 'said by the test registry' }] });
  send(response, status, body, { 'content-type': 'application/json', ...headers });
}

function send(
  response: ServerResponse,
  status: number,
  body: string | Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { ...headers, ...(status === 304 ? {} : { 'content-length': Buffer.byteLength(body) }) });
  response.end(body);
}

export interface ListedChart {
  readonly name: string;
  readonly version: string;
  readonly content: Uint8Array;
  /** Default: that of the content; null: none. */
  readonly digest?: string | null;
  /** Default: the archive at the root of the repository, by a relative address. */
  readonly url?: string;
  readonly isDeprecated?: boolean;
}

/** Serves archives and an index.yaml below `path`, as `helm repo index` lays it out. */
export function serveCharts(server: RegistryServer, path: string, charts: readonly ListedChart[]): void {
  const names = [...new Set(charts.map(({ name }) => name))].sort();
  const entries = names.map((name) => {
    const versions = charts.filter((chart) => chart.name === name).map((chart) => listing(server, path, chart));
    return `  ${name}:\n${versions.join('')}`;
  });
  const index = `apiVersion: v1\nentries:\n${entries.join('')}generated: "2026-01-01T00:00:00Z"\n`;
  server.putFile(`${path}/index.yaml`, index);
}

function listing(
  server: RegistryServer,
  path: string,
  { name, version, content, digest = digestOf(content).slice(7), url, isDeprecated }: ListedChart,
): string {
  const file = `${name}-${version}.tgz`;
  server.putFile(`${path}/${file}`, content);
  return [
    '  - apiVersion: v2',
    '    created: "2026-01-01T00:00:00Z"',
    ...(isDeprecated ? ['    deprecated: true'] : []),
    `    description: A chart of the tests`,
    ...(digest === null ? [] : [`    digest: ${digest}`]),
    `    name: ${name}`,
    '    urls:',
    `    - ${url ?? file}`,
    `    version: ${version}`,
    '',
  ].join('\n');
}
