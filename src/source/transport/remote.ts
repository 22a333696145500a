/**
 * The references of a Git server. With protocol 2 a poll is one ls-refs, since the server's address and features are
 * remembered from the first poll. An older server sends its advertisement for each poll.
 *
 * Invariant: a server that fails a request is forgotten, so it may change its address or its protocol at any time.
 */
import { nearestName } from '../../object/nearest.ts';
import { cleanText } from '../../object/printable.ts';
import { sourceError } from '../../object/source-error.ts';
import type { SourceLimits } from '../limits.ts';
import { DELIMITER, encodeLine, FLUSH } from './pkt-line.ts';
import { readAdvertisement, readLsRefs, type Advertisement } from './ref-answers.ts';
import type { Repository } from '../repository.ts';
import {
  resolvedCommit,
  resolveRevision,
  TAGS,
  tagsOfCommit,
  type RemoteRefs,
  type ResolvedRevision,
  type ResolvedTag,
  type TagQuestion,
  type WantedRevision,
} from '../revision.ts';
import { readWhole, type Transport } from './transport.ts';

export interface Remote {
  /** The commit that a revision names now. Throws StageError EmptyRepository, RevisionNotFound and others. */
  resolve(repository: Repository, wanted: WantedRevision, signal?: AbortSignal): Promise<ResolvedRevision>;
  /** The annotated tags that point at a commit. Throws StageError. */
  tagsOf(repository: Repository, question: TagQuestion, signal?: AbortSignal): Promise<readonly ResolvedTag[]>;
  serverOf(repository: Repository, signal?: AbortSignal): Promise<RemoteServer>;
  /** Call it when a request to the server has failed. */
  forget(repository: Repository): void;
}

export interface RemoteServer {
  /** `TransportAnswer.base`. */
  readonly base: string;
  /** Those of protocol 0, in which packs are fetched. */
  readonly capabilities: readonly string[];
}

interface KnownServer extends RemoteServer {
  readonly protocol: 0 | 2;
  /** Whether a request of protocol 2 must say that ids are SHA-1. */
  readonly mustNameFormat: boolean;
}

/**
 * Every server of protocol 2 with shallow fetches understands these in protocol 0. To ask the server would cost its
 * whole list of references, 60 bytes each; git ignores capabilities that it does not know.
 */
const CAPABILITIES_BESIDE_PROTOCOL_2 =
  'multi_ack_detailed no-done side-band-64k thin-pack ofs-delta shallow no-progress agent';

/** Git has about thirty, of about a dozen characters each. */
const MAX_CAPABILITIES = 100;
const MAX_CAPABILITY_CHARS = 200;

export function createRemote(transport: Transport, limits: SourceLimits): Remote {
  const known = new Map<string, KnownServer>();
  const bounds = { maxBytes: limits.maxRefsBytes, maxBytesName: 'maxRefsBytes', timeoutMs: limits.requestTimeoutMs };

  async function discover(repository: Repository, signal: AbortSignal | undefined) {
    const answer = await transport.send({ operation: 'advertise', repository, ...bounds, signal });
    const advertisement = readAdvertisement(await readWhole(answer), repository.label);
    const server = toServer(advertisement, answer.base, repository);
    known.set(repository.key, server);
    const [oldest] = known.keys();
    if (known.size > limits.maxKnownServers && oldest !== undefined) known.delete(oldest);
    return { server, advertisement };
  }

  async function listRefs(
    server: KnownServer,
    repository: Repository,
    prefixes: readonly string[],
    signal: AbortSignal | undefined,
  ) {
    const { base } = server;
    const body = lsRefsRequest(server, prefixes);
    const answer = await transport.send({ operation: 'list-refs', repository, base, body, ...bounds, signal });
    return readLsRefs(await readWhole(answer), repository.label);
  }

  async function findRefs(repository: Repository, prefixes: readonly string[], signal: AbortSignal | undefined) {
    const server = known.get(repository.key);
    if (server?.protocol === 2) return listRefs(server, repository, prefixes, signal);
    const fresh = await discover(repository, signal);
    if (fresh.advertisement.protocol === 0) return fresh.advertisement.refs;
    return listRefs(fresh.server, repository, prefixes, signal);
  }

  async function resolve(repository: Repository, wanted: WantedRevision, signal?: AbortSignal) {
    if (wanted.type === 'commit') return resolvedCommit(wanted.commit);
    try {
      const found = resolveRevision(wanted, await findRefs(repository, wanted.names, signal));
      if (found) return found;
      const all = await findRefs(repository, ['HEAD', 'refs/'], signal);
      throw missing(repository, wanted.text, all);
    } catch (error) {
      known.delete(repository.key);
      throw error;
    }
  }

  async function tagsOf(repository: Repository, question: TagQuestion, signal?: AbortSignal) {
    try {
      return tagsOfCommit(await findRefs(repository, [`${TAGS}${question.name ?? ''}`], signal), question);
    } catch (error) {
      known.delete(repository.key);
      throw error;
    }
  }

  return {
    resolve,
    tagsOf,
    serverOf: async (repository, signal) => known.get(repository.key) ?? (await discover(repository, signal)).server,
    forget: (repository) => void known.delete(repository.key),
  };
}

function toServer(advertisement: Advertisement, base: string, repository: Repository): KnownServer {
  if (advertisement.protocol === 0) {
    // A server may send megabytes of them, and they are kept.
    const capabilities = advertisement.capabilities.filter((name) => name.length <= MAX_CAPABILITY_CHARS);
    return { protocol: 0, base, capabilities: capabilities.slice(0, MAX_CAPABILITIES), mustNameFormat: false };
  }
  const { features } = advertisement;
  if (!features.has('ls-refs') || !features.get('fetch')?.split(' ').includes('shallow')) {
    throw sourceError(
      'UnsupportedServer',
      `The server of ${repository.label} does not offer ls-refs or shallow fetches, which Tautline needs. Update it.`,
    );
  }
  const capabilities = CAPABILITIES_BESIDE_PROTOCOL_2.split(' ');
  return { protocol: 2, base, capabilities, mustNameFormat: features.has('object-format') };
}

function lsRefsRequest(server: KnownServer, prefixes: readonly string[]): Buffer {
  const format = server.mustNameFormat ? encodeLine('object-format=sha1') : '';
  const args = ['peel', 'symrefs', ...prefixes.map((prefix) => `ref-prefix ${prefix}`)];
  return Buffer.from(
    `${encodeLine('command=ls-refs\n')}${format}${DELIMITER}${args.map((arg) => encodeLine(`${arg}\n`)).join('')}${FLUSH}`,
  );
}

/** Says what to write instead of a revision that does not exist. */
function adviceOn(text: string, refs: RemoteRefs): string {
  if (/^[0-9a-f]{4,39}$/i.test(text)) return 'If it is a commit, write all its 40 hex digits.';
  if (/^[<>=~^]|\.[x*]$|\|\|/.test(text)) return 'Write semver: before a range of versions.';
  const bare = text.replace(/^(refs\/)?(remotes\/)?origin\//, '');
  if (bare !== text && refs.has(`refs/heads/${bare}`)) {
    return `Write ${cleanText(bare, 120)}: a server knows its branches without origin/.`;
  }
  const names = [...refs.keys()].map((name) => name.replace(/^refs\/(heads|tags)\//, ''));
  const near = nearestName(bare, names);
  return near === undefined ? 'Check spec.source.revision.' : `Did you mean ${cleanText(near, 120)}?`;
}

function missing(repository: Repository, text: string, refs: RemoteRefs): Error {
  if (refs.size === 0) {
    return sourceError('EmptyRepository', `${repository.label} holds no commit yet. Push one.`);
  }
  if (text.startsWith('semver:')) {
    return sourceError(
      'RevisionNotFound',
      `${repository.label} has no tag in the range ${cleanText(JSON.stringify(text), 280)}. Tags count if they are versions with three parts, with or without v before them, and pre-releases only if the range names one.`,
    );
  }
  if (text === 'HEAD') {
    return sourceError(
      'RevisionNotFound',
      `The default branch of ${repository.label} does not exist. Name a branch in spec.source.revision, or set the repository's default branch.`,
    );
  }
  return sourceError(
    'RevisionNotFound',
    `${repository.label} has no branch or tag ${cleanText(JSON.stringify(text), 120)}. ${adviceOn(text, refs)}`,
  );
}
