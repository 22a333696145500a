/**
 * The plugin `http` of isomorphic-git. It stands between the package and the server, because the package takes a cut
 * answer for a short one, keeps three copies of a pack in memory, and has neither time-outs nor bounds.
 *
 * Invariants: the package sees one reference, the wanted commit. The pack is checked while it goes to a file, and the
 * package sees an empty one. An answer reaches it only after it was found complete.
 */
import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import type { GitHttpRequest, GitHttpResponse } from 'isomorphic-git';
import { createAnswerChecker, type CheckedAnswer } from './fetch-answer.ts';
import { ADVERTISEMENT_TYPE, RESULT_TYPE } from './http-transport.ts';
import type { SourceLimits } from '../limits.ts';
import { encodeLine, FLUSH } from './pkt-line.ts';
import type { RemoteServer } from './remote.ts';
import type { Repository } from '../repository.ts';
import type { Transport } from './transport.ts';
import { malformed } from './answer-error.ts';

export interface FetchPluginOptions {
  readonly transport: Transport;
  readonly limits: SourceLimits;
  readonly server: RemoteServer;
  /** 40 hex digits. */
  readonly commit: string;
  readonly repository: Repository;
  /** Open for writing, and empty. */
  readonly packFile: FileHandle;
  readonly signal?: AbortSignal | undefined;
}

export interface FetchPlugin {
  request(request: GitHttpRequest): Promise<GitHttpResponse>;
  /** The answer to the fetch; undefined if the package sent none. */
  checked(): CheckedAnswer | undefined;
}

/** The package sees the wanted commit under this name, whatever the server calls it. */
export const WANTED_REF = 'refs/heads/wanted';

/** The package does not ask for these. Without thin-pack every fetch brings everything. */
const EXTRA_CAPABILITIES = ['thin-pack', 'no-progress'];

export function createFetchPlugin(options: FetchPluginOptions): FetchPlugin {
  let checked: CheckedAnswer | undefined;
  return {
    checked: () => checked,
    async request(request) {
      if (request.method !== 'POST') {
        return answerOf(request, ADVERTISEMENT_TYPE, advertisementOf(options));
      }
      const body = addCapabilities(await collect(request.body), options.server.capabilities);
      checked = await receivePack(options, body);
      return answerOf(request, RESULT_TYPE, withEmptyPack(checked.preamble));
    },
  };
}

async function receivePack(options: FetchPluginOptions, body: Buffer): Promise<CheckedAnswer> {
  const { transport, limits, server, commit, repository, packFile, signal } = options;
  const answer = await transport.send({
    operation: 'fetch',
    repository,
    base: server.base,
    body,
    // Side-band adds five bytes to each packet, and some servers use small ones.
    maxBytes: Math.ceil(limits.maxPackBytes * 1.1) + 1_048_576,
    maxBytesName: 'maxPackBytes',
    timeoutMs: limits.fetchTimeoutMs,
    signal,
  });
  const checker = createAnswerChecker({ limits, label: repository.label, commit });
  for await (const chunk of answer.body) {
    for (const piece of checker.push(chunk)) await packFile.appendFile(piece);
  }
  return checker.finish();
}

/** Without the server's references: their names are foreign, and the package makes paths of them. */
function advertisementOf({ server, commit }: FetchPluginOptions): Buffer {
  const capabilities = server.capabilities.filter((item) => !item.startsWith('symref=')).join(' ');
  return Buffer.from(
    encodeLine('# service=git-upload-pack\n') +
      FLUSH +
      encodeLine(`${commit} HEAD\0${capabilities}\n`) +
      encodeLine(`${commit} ${WANTED_REF}\n`) +
      FLUSH,
  );
}

function addCapabilities(body: Buffer, offered: readonly string[]): Buffer {
  const length = Number.parseInt(body.toString('latin1', 0, 4), 16);
  const first = body.toString('utf8', 4, length).trimEnd();
  if (!first.startsWith('want ')) throw malformed('the request');
  const extra = EXTRA_CAPABILITIES.filter((item) => offered.includes(item));
  return Buffer.concat([Buffer.from(encodeLine(`${[first, ...extra].join(' ')}\n`)), body.subarray(length)]);
}

/** A pack without objects in side-band 1, of which the package writes no file. */
function withEmptyPack(preamble: Buffer): Buffer {
  const header = Buffer.from('PACK\0\0\0\x02\0\0\0\0', 'latin1');
  const payload = Buffer.concat([Buffer.from([1]), header, createHash('sha1').update(header).digest()]);
  const length = (payload.length + 4).toString(16).padStart(4, '0');
  return Buffer.concat([preamble, Buffer.from(length), payload, Buffer.from(FLUSH)]);
}

function answerOf(request: GitHttpRequest, contentType: string, body: Buffer): GitHttpResponse {
  return {
    url: request.url,
    method: request.method ?? 'GET',
    headers: { 'content-type': contentType },
    body: (async function* () {
      yield new Uint8Array(body);
    })(),
    statusCode: 200,
    statusMessage: 'OK',
  };
}

async function collect(body: GitHttpRequest['body']): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  if (body) for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}
