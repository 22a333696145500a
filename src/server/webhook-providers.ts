/**
 * The webhook formats of forges and registries: how each of them signs a webhook or proves a secret, and where the
 * payload names the pushed references.
 *
 * Invariant: `isGenuine` is false without a secret, and its comparisons take the same time for every wrong signature.
 * `readEvent` does not throw for any payload, and returns a bounded part of it.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { RepositoryPush } from '../application/repository.ts';
import { listAt, stringAt, valueAt, type Value } from '../object/value.ts';
import { pushedArtifacts, pushedPackage } from './registry-events.ts';

export type HookEvent =
  | { readonly type: 'push'; readonly push: RepositoryPush }
  /** A test message that the forge sends when the webhook is created. */
  | { readonly type: 'ping' }
  /** A push of Bitbucket Data Center, whose events have another form. */
  | { readonly type: 'dataCenter' }
  /** An event that is not about commits. */
  | { readonly type: 'other' }
  /** A push event without the address of a repository. */
  | { readonly type: 'unreadable' };

export interface Provider {
  /** Whether the request holds a signature or token at all; its form is checked, and nothing else. */
  isSigned(request: HookRequest): boolean;
  /** Whether the signature was made with one of the secrets; false if there are none. */
  isGenuine(request: HookRequest, body: Buffer, secrets: readonly Buffer[]): boolean;
  readEvent(request: HookRequest, payload: Value): HookEvent;
}

export interface HookRequest {
  readonly headers: IncomingHttpHeaders;
  readonly query: URLSearchParams;
}

export const PROVIDERS: ReadonlyMap<string, Provider> = new Map<string, Provider>([
  ['github', likeGitHub({ signatures: ['x-hub-signature-256'], event: 'x-github-event' })],
  ['gitea', likeGitHub({ signatures: ['x-gitea-signature'], event: 'x-gitea-event' })],
  ['forgejo', likeGitHub({ signatures: ['x-forgejo-signature', 'x-gitea-signature'], event: 'x-forgejo-event' })],
  ['gitlab', { ...token(gitLabTokens), readEvent: (_request, payload) => readGitLab(payload) }],
  ['bitbucket', { ...signature(['x-hub-signature']), readEvent: readBitbucket }],
  ['bitbucket-server', { ...signature(['x-hub-signature']), readEvent: readBitbucketServer }],
  ['azure-devops', { ...token(sharedTokens), readEvent: (_request, payload) => readAzureDevOps(payload) }],
  ['gerrit', { ...token(sharedTokens), readEvent: readGerrit }],
  ['registry', { ...token(sharedTokens), readEvent: (_request, payload) => readRegistry(payload) }],
  ['generic', { ...signature(['x-tautline-signature-256']), readEvent: (_request, payload) => readGeneric(payload) }],
]);

/** A push of more references counts as a push of unknown references. */
const MAX_REFS = 1000;
const MAX_ADDRESSES = 32;

/** Gitea and Forgejo send the payload of GitHub with headers of their own. */
function likeGitHub({ signatures, event }: { signatures: readonly string[]; event: string }): Provider {
  return {
    ...signature(signatures),
    readEvent({ headers }, payload) {
      const name = headers[event];
      if (name === 'ping') return { type: 'ping' };
      if (name === 'registry_package' || name === 'package') return artifactPush(pushedPackage(payload));
      if (name !== 'push') return { type: 'other' };
      const repository = valueAt(payload, 'repository');
      return pushOf({
        addresses: ['clone_url', 'ssh_url', 'git_url', 'html_url'].map((key) => stringAt(repository, key)),
        refs: [stringAt(payload, 'ref')],
        defaultBranch: stringAt(repository, 'default_branch'),
      });
    },
  };
}

/** Push and tag events, from the webhook of a project or from a system hook of the server. */
function readGitLab(payload: Value): HookEvent {
  const kind = stringAt(payload, 'object_kind') ?? stringAt(payload, 'event_name');
  if (kind !== 'push' && kind !== 'tag_push') return { type: 'other' };
  const [project, repository] = [valueAt(payload, 'project'), valueAt(payload, 'repository')];
  return pushOf({
    addresses: [
      ...['git_http_url', 'git_ssh_url', 'web_url'].map((key) => stringAt(project, key)),
      ...['git_http_url', 'git_ssh_url', 'homepage', 'url'].map((key) => stringAt(repository, key)),
    ],
    refs: [stringAt(payload, 'ref')],
    defaultBranch: stringAt(project, 'default_branch'),
  });
}

/** Bitbucket Cloud. A deleted branch has no `new`, a created one no `old`. */
function readBitbucket({ headers }: HookRequest, payload: Value): HookEvent {
  const name = headers['x-event-key'];
  // Both products send it; the event of a push shows which one it is.
  if (name === 'diagnostics:ping') return { type: 'ping' };
  if (name === 'repo:refs_changed') return { type: 'dataCenter' };
  if (name !== 'repo:push') return { type: 'other' };
  const changes = listAt(payload, 'push', 'changes').slice(0, MAX_REFS + 1);
  const clones = listAt(payload, 'repository', 'links', 'clone').slice(0, MAX_ADDRESSES);
  return pushOf({
    addresses: [
      stringAt(payload, 'repository', 'links', 'html', 'href'),
      ...clones.map((link) => stringAt(link, 'href')),
    ],
    refs: changes.flatMap((change) => [bitbucketRef(valueAt(change, 'new')), bitbucketRef(valueAt(change, 'old'))]),
    defaultBranch: stringAt(payload, 'repository', 'mainbranch', 'name'),
  });
}

function bitbucketRef(reference: Value | undefined): string | undefined {
  const name = stringAt(reference, 'name');
  if (name === undefined) return undefined;
  return stringAt(reference, 'type') === 'tag' ? `refs/tags/${name}` : `refs/heads/${name}`;
}

/** Bitbucket Data Center and Server. Versions that name no clone address name the page of the repository. */
function readBitbucketServer({ headers }: HookRequest, payload: Value): HookEvent {
  const name = headers['x-event-key'];
  if (name === 'diagnostics:ping') return { type: 'ping' };
  if (name !== 'repo:refs_changed' && name !== 'mirror:repo_synchronized') return { type: 'other' };
  const changes = listAt(payload, 'changes').slice(0, MAX_REFS + 1);
  const links = (kind: string): (string | undefined)[] =>
    listAt(payload, 'repository', 'links', kind)
      .slice(0, MAX_ADDRESSES)
      .map((link) => stringAt(link, 'href'));
  const pages = links('self').map((page) =>
    page?.replace(/\/(?:projects|users)\/([^/]+)\/repos\/([^/]+)(?:\/.*)?$/, '/scm/$1/$2'),
  );
  return pushOf({
    addresses: [...links('clone'), ...pages],
    refs: changes.map((change) => stringAt(change, 'ref', 'id') ?? stringAt(change, 'refId')),
    defaultBranch: undefined,
  });
}

/** The service hook "Code pushed". */
function readAzureDevOps(payload: Value): HookEvent {
  if (stringAt(payload, 'eventType') !== 'git.push') return { type: 'other' };
  const repository = valueAt(payload, 'resource', 'repository');
  const updates = listAt(payload, 'resource', 'refUpdates').slice(0, MAX_REFS + 1);
  return pushOf({
    addresses: ['remoteUrl', 'sshUrl'].map((key) => stringAt(repository, key)),
    refs: updates.map((update) => stringAt(update, 'name')),
    defaultBranch: stringAt(repository, 'defaultBranch'),
  });
}

/** The plugin `webhooks` of Gerrit sends the name of a project; the address of the webhook names the server. */
function readGerrit({ query }: HookRequest, payload: Value): HookEvent {
  const type = stringAt(payload, 'type');
  if (type !== 'ref-updated' && type !== 'batch-ref-updated') return { type: 'other' };
  const single = valueAt(payload, 'refUpdate');
  const updates = single === undefined ? listAt(payload, 'refUpdates').slice(0, MAX_REFS + 1) : [single];
  const server = query.get('server') ?? '';
  const url = URL.parse(server.includes('://') ? server : `https://${server}`);
  const projects = [...new Set(updates.flatMap((update) => stringAt(update, 'project') ?? []))];
  const addresses = projects.flatMap((project) => {
    if (!url) return [];
    const base = `${url.protocol}//${url.host}${url.pathname.replace(/\/+$/, '')}`;
    // Gerrit has a prefix of its own for requests with a login.
    return [`${base}/${project}`, `${base}/a/${project}`, `ssh://${url.hostname}/${project}`];
  });
  const refs = updates.map((update) => stringAt(update, 'refName'));
  return pushOf({ addresses, refs, defaultBranch: undefined });
}

function readRegistry(payload: Value): HookEvent {
  const pushed = pushedArtifacts(payload);
  return pushed ? artifactPush(pushed) : { type: 'other' };
}

/** Every Application of the artifact is concerned: a tag may move, and a new one may be in a range. */
function artifactPush(addresses: readonly string[]): HookEvent {
  return pushOf({ addresses, refs: [], defaultBranch: undefined });
}

/**
 * `{"repository": "https://…", "refs": ["refs/heads/main"], "defaultBranch": "main"}`; only `repository` is required.
 */
function readGeneric(payload: Value): HookEvent {
  return pushOf({
    addresses: [stringAt(payload, 'repository')],
    refs: listAt(payload, 'refs').map((ref) => (typeof ref === 'string' ? ref : undefined)),
    defaultBranch: stringAt(payload, 'defaultBranch'),
  });
}

interface FoundPush {
  readonly addresses: readonly (string | undefined)[];
  readonly refs: readonly (string | undefined)[];
  readonly defaultBranch: string | undefined;
}

function pushOf({ addresses, refs, defaultBranch }: FoundPush): HookEvent {
  const named = [...new Set(addresses.filter((address) => address !== undefined))].slice(0, MAX_ADDRESSES);
  if (named.length === 0) return { type: 'unreadable' };
  const moved = [...new Set(refs.filter((ref) => ref !== undefined))];
  // A reference that is not a full name is ambiguous. Then the push concerns every revision of the repository.
  const isKnown = moved.length <= MAX_REFS && moved.every((ref) => ref.startsWith('refs/'));
  const push = {
    addresses: named,
    refs: isKnown ? moved : [],
    defaultBranch: defaultBranch?.replace(/^refs\/heads\//, ''),
  };
  return { type: 'push', push };
}

type Proof = Pick<Provider, 'isSigned' | 'isGenuine'>;

/**
 * HMAC-SHA-256 over the raw body, in hex, with or without the prefix `sha256=`, in the first header that is present.
 */
function signature(headerNames: readonly string[]): Proof {
  const hexOf = (headers: IncomingHttpHeaders): string | undefined => {
    const header = headerNames.map((name) => headers[name]).find((value) => value !== undefined);
    return typeof header === 'string' ? /^(?:sha256=)?([0-9a-f]{64})$/i.exec(header)?.[1] : undefined;
  };
  return {
    isSigned: ({ headers }) => hexOf(headers) !== undefined,
    isGenuine({ headers }, body, secrets) {
      const hex = hexOf(headers);
      if (hex === undefined) return false;
      return isAnyEqual(
        Buffer.from(hex, 'hex'),
        secrets.map((secret) => createHmac('sha256', secret).update(body).digest()),
      );
    },
  };
}

/** The secret itself is sent. Comparing digests takes the same time for texts of any length. */
function token(tokensOf: (request: HookRequest) => readonly string[]): Proof {
  const given = (request: HookRequest): string[] => tokensOf(request).filter((text) => text !== '');
  return {
    isSigned: (request) => given(request).length > 0,
    isGenuine(request, _body, secrets) {
      const digests = secrets.map(sha256);
      return given(request).some((text) => isAnyEqual(sha256(Buffer.from(text, 'latin1')), digests));
    },
  };
}

function gitLabTokens({ headers }: HookRequest): readonly string[] {
  const header = headers['x-gitlab-token'];
  return typeof header === 'string' ? [header] : [];
}

/**
 * For senders that sign nothing: the password of basic authentication, a bearer token, the header as it is, or the
 * parameter `token` of the address.
 */
function sharedTokens({ headers, query }: HookRequest): readonly string[] {
  const header = headers.authorization ?? '';
  const [, basic] = /^basic +(\S+)$/i.exec(header) ?? [];
  const password =
    basic === undefined
      ? ''
      : Buffer.from(basic, 'base64')
          .toString('latin1')
          .replace(/^[^:]*:/, '');
  const [, bearer = ''] = /^bearer +(\S+)$/i.exec(header) ?? [];
  return [password, bearer, header, query.get('token') ?? ''];
}

function isAnyEqual(given: Buffer, expected: readonly Buffer[]): boolean {
  let isFound = false;
  for (const digest of expected) if (timingSafeEqual(given, digest)) isFound = true;
  return isFound;
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}
