/**
 * The batch API of Git LFS (docs/api/batch.md of git-lfs): one request asks a server where an object is, the next one
 * brings it.
 *
 * Invariants: an object whose size or SHA-256 is not that of its pointer fails, whatever the server sent. The login of
 * the repository is sent to the server of the repository alone. Headers that an answer names are sent to the address in
 * the same answer, and to no other origin that it redirects to.
 */
import { createHash } from 'node:crypto';
import { cleanText } from '../../object/printable.ts';
import { sourceError } from '../../object/source-error.ts';
import type { RegistryLimits } from '../../registry/limits.ts';
import { headerOf, readAll, type Web, type WebAnswer } from '../../registry/web.ts';
import type { Credential } from '../credential.ts';
import { statusError } from '../transport/http-failure.ts';
import { readAction, readObject, type LfsAction } from './lfs-answers.ts';

/** Where the batch API of a repository is. */
export interface LfsServer {
  /** Without `/objects/batch`. */
  readonly url: string;
  /** Sent to the origin of `url` alone. */
  readonly headers: Readonly<Record<string, string>>;
  /** The login of the repository, as a header; for the origin of `url` alone. */
  readonly authorization: string | undefined;
}

export interface LfsRequest {
  readonly server: LfsServer;
  /** SHA-256, 64 hex digits. */
  readonly oid: string;
  readonly sizeBytes: number;
  /** For messages. */
  readonly label: string;
  readonly credential: Credential | undefined;
  readonly signal: AbortSignal;
}

export interface LfsClientOptions {
  readonly web: Pick<Web, 'send'>;
  readonly limits: Pick<RegistryLimits, 'maxPageBytes' | 'requestTimeoutMs' | 'downloadTimeoutMs'>;
}

const TYPE = 'application/vnd.git-lfs+json';

/** The bytes of an object. Throws StageError, and so does reading them. */
export async function downloadObject(options: LfsClientOptions, request: LfsRequest): Promise<AsyncIterable<Buffer>> {
  const action = await askBatch(options, request);
  const { server, label, credential, sizeBytes, signal } = request;
  const isServer = new URL(action.href).origin === new URL(server.url).origin;
  const named = action.headers['authorization'];
  const own = isServer && !action.isAuthenticated ? server.authorization : undefined;
  const answer = await options.web.send({
    method: 'GET',
    url: action.href,
    originHeaders: withoutAuthorization(action.headers),
    authorization: named ?? own,
    credential: isServer ? credential : trustOnly(credential),
    label,
    redirects: 'anywhere',
    maxBytes: sizeBytes,
    maxBytesName: 'the size in the pointer',
    timeoutMs: options.limits.downloadTimeoutMs,
    signal,
  });
  await checkStatus(answer, request);
  return checked(answer.body, request);
}

function withoutAuthorization({ authorization: _login, ...rest }: Readonly<Record<string, string>>) {
  return rest;
}

/** Another host is trusted by the same authorities, and is not shown the login and the client certificate. */
function trustOnly(credential: Credential | undefined): Credential | undefined {
  return credential && { ...credential, login: undefined, clientCertificate: undefined };
}

async function askBatch({ web, limits }: LfsClientOptions, request: LfsRequest): Promise<LfsAction> {
  const { server, oid, sizeBytes, label, credential, signal } = request;
  const objects = [{ oid, size: sizeBytes }];
  const answer = await web.send({
    method: 'POST',
    url: `${server.url}/objects/batch`,
    headers: { accept: TYPE, 'content-type': TYPE },
    originHeaders: withoutAuthorization(server.headers),
    authorization: server.headers['authorization'] ?? server.authorization,
    body: JSON.stringify({ operation: 'download', transfers: ['basic'], objects, hash_algo: 'sha256' }),
    credential,
    label,
    redirects: 'origin',
    maxBytes: limits.maxPageBytes,
    maxBytesName: 'maxPageBytes',
    timeoutMs: limits.requestTimeoutMs,
    signal,
  });
  await checkStatus(answer, request);
  const object = readObject(await readAll(answer), request);
  return readAction(object, request);
}

async function checkStatus(answer: WebAnswer, { label, credential }: LfsRequest): Promise<void> {
  const { status } = answer;
  if (status === 200) return;
  answer.discard();
  if (status === 404 || status === 501) {
    throw sourceError(
      'UnsupportedServer',
      `The server of ${label} does not give out files of Git LFS (HTTP status ${status}). Check that LFS is enabled for the repository, and that the credentials may read it.`,
    );
  }
  throw statusError({ label, credential }, status, headerOf(answer, 'retry-after'));
}

/** The same bytes, which end with an error if they are not those of the pointer. */
async function* checked(body: AsyncIterable<Buffer>, { oid, sizeBytes, label }: LfsRequest): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of body) {
    hash.update(chunk);
    bytes += chunk.length;
    yield chunk;
  }
  if (bytes === sizeBytes && hash.digest('hex') === oid) return;
  throw sourceError(
    'DigestMismatch',
    `${label} sends other bytes than those of the object ${cleanText(oid, 64)} (${sizeBytes} bytes). Check the server; nothing of them is used.`,
  );
}
