/**
 * A client of OCI registries (distribution specification): tags, manifests and blobs, read only.
 *
 * Invariants: a manifest or blob has the digest that was asked for, or it is refused. Only the download of a blob
 * follows a redirect to another host, without the credential. Every list is bounded.
 */
import { createHash } from 'node:crypto';
import { cleanText } from '../object/printable.ts';
import { sourceError } from '../object/source-error.ts';
import type { RegistryLimits } from './limits.ts';
import { malformedAnswer, tooLarge } from './registry-error.ts';
import { statusError } from './status-error.ts';
import { loginFor, type ArtifactPlace, type Tokens } from './tokens.ts';
import { headerOf, readAll, type Web, type WebAnswer, type WebRequest } from './web.ts';

export interface RegistryClient {
  /** The digest that a tag stands for. Throws StageError RevisionNotFound and others. */
  digestOf(place: ArtifactPlace, tag: string, signal: AbortSignal): Promise<string>;
  /** The bytes of a manifest by its digest, or by a tag. undefined: the registry does not know it. */
  findManifest(place: ArtifactPlace, reference: string, signal: AbortSignal): Promise<FoundManifest | undefined>;
  /** The list of what refers to a manifest (an index), as bytes. undefined: there is none, or no such list. */
  findReferrers(place: ArtifactPlace, digest: string, signal: AbortSignal): Promise<Buffer | undefined>;
  /** Ends with an error if size or digest are not those of the descriptor. */
  blob(place: ArtifactPlace, wanted: Descriptor, options: BlobOptions): AsyncIterable<Buffer>;
  /** All tags, in no order. */
  tags(place: ArtifactPlace, signal: AbortSignal): Promise<readonly string[]>;
}

export interface FoundManifest {
  readonly bytes: Buffer;
  readonly digest: string;
  /** The content type of the answer; a manifest may name another one. */
  readonly mediaType: string;
}

export interface Descriptor {
  readonly mediaType: string;
  /** `sha256:` and 64 hex digits. */
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface BlobOptions {
  readonly maxBytes: number;
  readonly maxBytesName: string;
  readonly signal: AbortSignal;
}

export const MANIFEST_TYPES = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  index: 'application/vnd.oci.image.index.v1+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
} as const;

const ACCEPT = Object.values(MANIFEST_TYPES).join(', ');
/** Answers to HEAD of registries that leave the header with the digest out, or do not know HEAD. */
const MAY_ANSWER_GET: ReadonlySet<number> = new Set([200, 400, 405, 501]);
const TAGS_PER_PAGE = 1_000;
const MAX_TAG_CHARS = 128;
export const DIGEST = /^sha256:[0-9a-f]{64}$/;

export interface RegistryClientOptions {
  readonly web: Web;
  readonly tokens: Tokens;
  readonly limits: RegistryLimits;
}

type Wanted = Pick<WebRequest, 'method' | 'maxBytes' | 'maxBytesName' | 'signal'> &
  Partial<Pick<WebRequest, 'headers' | 'redirects' | 'timeoutMs'>> & {
    /** Below `/v2/<name>`, or the whole of a later page. */
    readonly path: string;
  };

/** Sends requests, each once more with an answer to the challenge of a refusal. */
interface Requests {
  readonly send: (place: ArtifactPlace, wanted: Wanted) => Promise<WebAnswer>;
  /** The error of an answer that is none. */
  readonly failed: (answer: WebAnswer, place: ArtifactPlace) => Promise<Error>;
}

function createRequests({ web, tokens, limits }: RegistryClientOptions): Requests {
  return {
    async send(place, { path, ...wanted }) {
      const request: WebRequest = {
        url: path.startsWith('/v2/') ? `${place.origin}${path}` : `${place.origin}/v2/${place.name}${path}`,
        credential: place.credential,
        label: place.label,
        redirects: 'origin',
        timeoutMs: limits.requestTimeoutMs,
        ...wanted,
      };
      const answer = await web.send({ ...request, authorization: tokens.known(place) });
      if (answer.status !== 401) return answer;
      const authorization = await tokens.answerTo(answer, place, wanted.signal);
      if (authorization === undefined) return answer;
      answer.discard();
      return web.send({ ...request, authorization });
    },
    failed: (answer, place) =>
      statusError(answer, { label: place.label, secret: loginFor(place) && place.credential?.secret }),
  };
}

export function createRegistryClient(options: RegistryClientOptions): RegistryClient {
  const { limits } = options;
  const { send, failed } = createRequests(options);
  const manifestBounds = { maxBytes: limits.maxManifestBytes, maxBytesName: 'maxManifestBytes' };

  async function findManifest(place: ArtifactPlace, reference: string, signal: AbortSignal) {
    const path = `/manifests/${reference}`;
    const answer = await send(place, { method: 'GET', path, headers: { accept: ACCEPT }, ...manifestBounds, signal });
    if (answer.status === 404) {
      answer.discard();
      return undefined;
    }
    if (answer.status !== 200) throw await failed(answer, place);
    const bytes = await readAll(answer);
    const digest = digestOfBytes(bytes);
    if (DIGEST.test(reference) && digest !== reference) throw otherDigest(place.label, 'a manifest', reference);
    return { bytes, digest, mediaType: mediaTypeOf(answer) };
  }

  return {
    async digestOf(place, tag, signal) {
      const path = `/manifests/${tag}`;
      const headers = { accept: ACCEPT };
      const answer = await send(place, { method: 'HEAD', path, headers, ...manifestBounds, signal });
      answer.discard();
      const digest = headerOf(answer, 'docker-content-digest') ?? '';
      if (answer.status === 200 && DIGEST.test(digest)) return digest;
      if (!MAY_ANSWER_GET.has(answer.status)) {
        throw answer.status === 404 ? noSuchTag(place, tag) : await failed(answer, place);
      }
      const found = await findManifest(place, tag, signal);
      if (!found) throw noSuchTag(place, tag);
      return found.digest;
    },
    findManifest,
    async findReferrers(place, digest, signal) {
      const path = `/referrers/${digest}`;
      const headers = { accept: MANIFEST_TYPES.index };
      const answer = await send(place, { method: 'GET', path, headers, ...manifestBounds, signal });
      if (answer.status === 200 && mediaTypeOf(answer) === MANIFEST_TYPES.index) return readAll(answer);
      // Registries without the list answer with different refusals.
      if (answer.status === 401 || answer.status === 429 || answer.status >= 500) throw await failed(answer, place);
      answer.discard();
      return undefined;
    },
    async *blob(place, wanted, { maxBytes, maxBytesName, signal }) {
      if (wanted.size > maxBytes) throw tooLarge(`The content of ${place.label}`, maxBytes, maxBytesName);
      const answer = await send(place, {
        method: 'GET',
        path: `/blobs/${wanted.digest}`,
        redirects: 'anywhere',
        maxBytes: wanted.size,
        maxBytesName: 'the size in the manifest',
        timeoutMs: limits.downloadTimeoutMs,
        signal,
      });
      if (answer.status !== 200) throw await failed(answer, place);
      yield* checked(answer.body, { digest: wanted.digest, what: 'content', label: place.label });
    },
    tags: (place, signal) => listTags(place, { send, failed, limits, signal }),
  };
}

interface Listing extends Requests {
  readonly limits: RegistryLimits;
  readonly signal: AbortSignal;
}

async function listTags(place: ArtifactPlace, { send, failed, limits, signal }: Listing): Promise<readonly string[]> {
  const { maxPageBytes, maxTags, maxTagPages } = limits;
  const tags: string[] = [];
  let path: string | undefined = `/tags/list?n=${TAGS_PER_PAGE}`;
  for (let page = 1; path !== undefined; page++) {
    const bounds = { maxBytes: maxPageBytes, maxBytesName: 'maxPageBytes' };
    const answer: WebAnswer = await send(place, { method: 'GET', path, ...bounds, signal });
    if (answer.status !== 200) throw await failed(answer, place);
    for (const tag of readTags(await readAll(answer), place)) tags.push(tag);
    path = nextPage(headerOf(answer, 'link'), place);
    if (tags.length <= maxTags && (page < maxTagPages || path === undefined)) continue;
    const [bound, name] = tags.length > maxTags ? [maxTags, 'maxTags'] : [maxTagPages, 'maxTagPages'];
    throw sourceError(
      'TooLarge',
      `The list of tags of ${place.label} does not end within ${bound} (${name}). Name a tag or a digest in spec.source.revision, or remove old tags.`,
    );
  }
  return tags;
}

function readTags(body: Buffer, { label }: ArtifactPlace): string[] {
  try {
    const { tags } = JSON.parse(body.toString('utf8')) as { tags?: unknown };
    const list = tags === null || tags === undefined ? [] : (tags as unknown[]);
    return list.filter((tag) => typeof tag === 'string' && tag.length <= MAX_TAG_CHARS) as string[];
  } catch {
    throw malformedAnswer(label, 'is no list of tags');
  }
}

/** The path of the page that the header Link names; it stays within the list of this artifact. */
function nextPage(link: string | undefined, { origin, name, label }: ArtifactPlace): string | undefined {
  const target = /<([^>]{1,4096})>\s*;[^,]*\brel="?next"?/.exec(link ?? '')?.[1];
  if (target === undefined) return undefined;
  const list = `/v2/${name}/tags/list`;
  const url = URL.parse(target, `${origin}${list}`);
  if (url?.origin !== new URL(origin).origin || url.pathname !== list) {
    throw malformedAnswer(label, `names ${JSON.stringify(cleanText(target))} as the next page of its tags`);
  }
  return `${url.pathname}${url.search}`;
}

function noSuchTag({ label, credential }: ArtifactPlace, tag: string): Error {
  const advice = credential
    ? 'Check spec.source.revision and the address, and whether the credentials may read it.'
    : 'Check spec.source.revision and the address; if it is private, name a Secret in spec.source.secretRef.';
  return sourceError('RevisionNotFound', `${label} has no tag ${JSON.stringify(cleanText(tag))}. ${advice}`);
}

function mediaTypeOf(answer: WebAnswer): string {
  return (headerOf(answer, 'content-type') ?? '').split(';')[0]?.trim() ?? '';
}

export function digestOfBytes(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

export interface Expected {
  /** `sha256:` and 64 hex digits. */
  readonly digest: string;
  /** For the message. */
  readonly what: string;
  readonly label: string;
}

/** Passes the bytes on and ends with an error if their digest is another one. */
export async function* checked(body: AsyncIterable<Buffer>, { digest, what, label }: Expected): AsyncIterable<Buffer> {
  const hash = createHash('sha256');
  for await (const chunk of body) {
    hash.update(chunk);
    yield chunk;
  }
  if (`sha256:${hash.digest('hex')}` !== digest) throw otherDigest(label, what, digest);
}

function otherDigest(label: string, what: string, digest: string): Error {
  return sourceError(
    'DigestMismatch',
    `The server of ${label} sent ${what} with another digest than ${digest}, so it is refused. Look for a damaged mirror or cache, or push it again.`,
  );
}
