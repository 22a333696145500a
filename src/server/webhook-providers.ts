/**
 * The webhook formats of Git forges: how each forge signs a webhook, and where the payload names the pushed references.
 *
 * Invariant: `isGenuine` is false without a secret, and its comparisons take the same time for every wrong signature.
 * `readEvent` does not throw for any payload, and returns a bounded part of it.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { RepositoryPush } from '../application/repository.ts';
import { listAt, stringAt, valueAt, type Value } from '../object/value.ts';

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
  /** Whether the headers hold a signature or token at all; its form is checked, and nothing else. */
  isSigned(headers: IncomingHttpHeaders): boolean;
  /** Whether the signature was made with one of the secrets; false if there are none. */
  isGenuine(headers: IncomingHttpHeaders, body: Buffer, secrets: readonly Buffer[]): boolean;
  readEvent(headers: IncomingHttpHeaders, payload: Value): HookEvent;
}

export const PROVIDERS: ReadonlyMap<string, Provider> = new Map<string, Provider>([
  ['github', likeGitHub({ signatures: ['x-hub-signature-256'], event: 'x-github-event' })],
  ['gitea', likeGitHub({ signatures: ['x-gitea-signature'], event: 'x-gitea-event' })],
  ['forgejo', likeGitHub({ signatures: ['x-forgejo-signature', 'x-gitea-signature'], event: 'x-forgejo-event' })],
  ['gitlab', { ...token('x-gitlab-token'), readEvent: (_headers, payload) => readGitLab(payload) }],
  ['bitbucket', { ...signature(['x-hub-signature']), readEvent: readBitbucket }],
  ['generic', { ...signature(['x-tautline-signature-256']), readEvent: (_h, payload) => readGeneric(payload) }],
]);

/** A push of more references counts as a push of unknown references. */
const MAX_REFS = 1000;
const MAX_ADDRESSES = 32;

/** Gitea and Forgejo send the payload of GitHub with headers of their own. */
function likeGitHub({ signatures, event }: { signatures: readonly string[]; event: string }): Provider {
  return {
    ...signature(signatures),
    readEvent(headers, payload) {
      const name = headers[event];
      if (name === 'ping') return { type: 'ping' };
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
function readBitbucket(headers: IncomingHttpHeaders, payload: Value): HookEvent {
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
    isSigned: (headers) => hexOf(headers) !== undefined,
    isGenuine(headers, body, secrets) {
      const hex = hexOf(headers);
      if (hex === undefined) return false;
      return isAnyEqual(
        Buffer.from(hex, 'hex'),
        secrets.map((secret) => createHmac('sha256', secret).update(body).digest()),
      );
    },
  };
}

/** GitLab sends the secret itself. Comparing digests takes the same time for texts of any length. */
function token(headerName: string): Proof {
  const tokenOf = (headers: IncomingHttpHeaders): string => {
    const header = headers[headerName];
    return typeof header === 'string' ? header : '';
  };
  return {
    isSigned: (headers) => tokenOf(headers) !== '',
    isGenuine(headers, _body, secrets) {
      const given = tokenOf(headers);
      return given !== '' && isAnyEqual(sha256(Buffer.from(given, 'latin1')), secrets.map(sha256));
    },
  };
}

function isAnyEqual(given: Buffer, expected: readonly Buffer[]): boolean {
  let isFound = false;
  for (const digest of expected) if (timingSafeEqual(given, digest)) isFound = true;
  return isFound;
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}
