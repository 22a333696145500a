/**
 * A server of Git LFS for tests, written from its specification (docs/api/batch.md and docs/api/basic-transfers.md of
 * git-lfs). It answers as a hook of the Git server, below the address of each repository.
 */
import { createHash } from 'node:crypto';
import type { GitReaction, GitRequest } from './git-server.ts';

export interface LfsRequestRecord {
  /** `batch`, or `object` for a download. */
  readonly type: 'batch' | 'object';
  readonly path: string;
  readonly host: string;
  readonly headers: GitRequest['headers'];
}

export interface TestLfs {
  /** Stores content, and returns the text of its pointer. */
  add(content: string | Uint8Array): string;
  /** The id of content. */
  idOf(content: string | Uint8Array): string;
  readonly requests: LfsRequestRecord[];
  /** Replaces an answer. May be set and unset at any time. */
  onRequest: ((request: LfsRequestRecord) => GitReaction | undefined) | undefined;
  /** The beginning of the addresses of downloads. Default: that of the server that is asked. */
  downloadUrl: string | undefined;
  /** Headers that a download must show, as the answer of the batch API says. Default: one. */
  header: Readonly<Record<string, string>>;
  /** A hook of the Git server. */
  readonly handle: (request: GitRequest) => Promise<GitReaction | undefined>;
}

const TYPE = 'application/vnd.git-lfs+json';

export function createLfs(): TestLfs {
  const contents = new Map<string, Buffer>();
  const idOf = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex');
  const lfs: TestLfs = {
    idOf,
    requests: [],
    onRequest: undefined,
    downloadUrl: undefined,
    header: { 'X-Download': 'yes', 'Transfer-Encoding': 'chunked' },
    add(content) {
      const oid = idOf(content);
      contents.set(oid, Buffer.from(content));
      return `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${Buffer.from(content).length}\n`;
    },
    async handle(request) {
      const { method, path, headers } = request;
      const host = String(headers.host);
      const oid = /\/lfs-objects\/([0-9a-f]{64})$/.exec(path)?.[1];
      if (method === 'GET' && oid !== undefined) {
        const record = { type: 'object', path, host, headers } as const;
        lfs.requests.push(record);
        return lfs.onRequest?.(record) ?? answerObject(contents.get(oid), headers, lfs.header);
      }
      if (method !== 'POST' || !path.endsWith('.git/info/lfs/objects/batch')) return undefined;
      const record = { type: 'batch', path, host, headers } as const;
      lfs.requests.push(record);
      const body = await request.readBody();
      const replaced = lfs.onRequest?.(record);
      if (replaced) return replaced;
      if (headers.accept !== TYPE || headers['content-type'] !== TYPE) return { status: 406 };
      const repository = path.slice(0, -'/info/lfs/objects/batch'.length);
      const base = lfs.downloadUrl ?? `http://${host}${repository}`;
      return answerBatch(body, contents, { base, header: lfs.header });
    },
  };
  return lfs;
}

interface Batch {
  readonly operation: string;
  readonly transfers: readonly string[];
  readonly objects: readonly { readonly oid: string; readonly size: number }[];
}

function answerBatch(
  body: Buffer,
  contents: ReadonlyMap<string, Buffer>,
  { base, header }: { readonly base: string; readonly header: TestLfs['header'] },
): GitReaction {
  const { operation, transfers, objects } = JSON.parse(body.toString('utf8')) as Batch;
  if (operation !== 'download' || !transfers.includes('basic')) return { status: 422 };
  const answers = objects.map(({ oid, size }) => {
    const content = contents.get(oid);
    if (content?.length !== size) return { oid, size, error: { code: 404, message: 'Object does not exist' } };
    return { oid, size, actions: { download: { href: `${base}/lfs-objects/${oid}`, header, expires_in: 60 } } };
  });
  return {
    status: 200,
    headers: { 'content-type': TYPE },
    body: JSON.stringify({ transfer: 'basic', objects: answers }),
  };
}

function answerObject(
  content: Buffer | undefined,
  headers: GitRequest['headers'],
  header: TestLfs['header'],
): GitReaction {
  const isShown = Object.entries(header).every(
    ([name, value]) => /^transfer-encoding$/i.test(name) || headers[name.toLowerCase()] === value,
  );
  if (!isShown) return { status: 403 };
  return content === undefined ? { status: 404 } : { status: 200, body: content };
}
