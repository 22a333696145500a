/**
 * The keys of a Secret for a GitHub App, as Flux and Argo CD write them, and the repositories that such an app opens.
 *
 * Invariant: a token of an app is shown only to the host whose API gave it, so that a Secret for one server gives
 * nothing to another.
 */
import { createPrivateKey } from 'node:crypto';
import { cleanText } from '../object/printable.ts';
import { sourceError } from '../object/source-error.ts';
import { isSshForm } from './ssh-address.ts';

export interface GitHubApp {
  /** The ID of the app, or its client ID. */
  readonly appId: string;
  /** Digits. undefined: the installation is looked up by `owner`. */
  readonly installationId: string | undefined;
  /** Name of a user or an organisation. undefined: the one of the repository. */
  readonly owner: string | undefined;
  /** An RSA key in PEM. */
  readonly privateKey: string;
  /** Address of the REST API, without a slash at the end. */
  readonly apiBase: string;
}

/** Names of the keys in Flux's Secrets, then in Argo CD's; the first one that holds a value counts. */
export const GITHUB_APP_KEYS = {
  appId: ['githubAppID'],
  installationId: ['githubAppInstallationID'],
  owner: ['githubAppInstallationOwner'],
  appKey: ['githubAppPrivateKey'],
  apiBase: ['githubAppBaseURL', 'githubAppEnterpriseBaseUrl'],
} as const;

type Part = keyof typeof GITHUB_APP_KEYS;

interface Value {
  readonly name: string;
  /** Empty: the Secret does not hold it. */
  readonly text: string;
}

const PUBLIC_API = 'https://api.github.com';

/** A key of 4,096 bits has 3.3 kB. */
const MAX_KEY_CHARS = 8_192;
const [MIN_KEY_BITS, MAX_KEY_BITS] = [2_048, 8_192];

/** undefined: the Secret is not about an app. `refuse` gets the rest of a sentence about the Secret. */
export function readGitHubApp(read: (part: Part) => Value, refuse: (problem: string) => never): GitHubApp | undefined {
  const value = (part: Part): Value => {
    const { name, text } = read(part);
    return { name, text: text.trim() };
  };
  const [id, installation, owner] = [value('appId'), value('installationId'), value('owner')];
  const [key, base] = [value('appKey'), value('apiBase')];
  if (id.text === '' && key.text === '') return undefined;
  for (const { name, text } of [id, key]) {
    if (text === '') refuse(`is for a GitHub App and holds no ${name}`);
  }
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(id.text)) refuse(`holds no ID of a GitHub App under ${id.name}`);
  if (!/^\d{0,20}$/.test(installation.text)) refuse(`holds no number under ${installation.name}`);
  if (!/^[A-Za-z0-9_-]{0,100}$/.test(owner.text)) {
    refuse(`holds no name of a user or an organisation under ${owner.name}`);
  }
  const keyProblem = problemOfKey(key.text);
  if (keyProblem !== undefined) refuse(`${keyProblem} under ${key.name}`);
  const apiBase = base.text === '' ? PUBLIC_API : readBase(base.text);
  if (apiBase === undefined) {
    return refuse(
      `holds no address of the API of a GitHub server under ${base.name}. Write it as https://<host>/api/v3`,
    );
  }
  return {
    appId: id.text,
    installationId: installation.text || undefined,
    owner: owner.text || undefined,
    privateKey: key.text,
    apiBase,
  };
}

function problemOfKey(pem: string): string | undefined {
  if (pem.length > MAX_KEY_CHARS) return 'holds a private key that is too long';
  if (pem.includes('ENCRYPTED')) return 'holds an encrypted private key';
  try {
    const { asymmetricKeyType, asymmetricKeyDetails } = createPrivateKey(pem);
    const bits = asymmetricKeyDetails?.modulusLength ?? 0;
    if (asymmetricKeyType === 'rsa' && bits >= MIN_KEY_BITS && bits <= MAX_KEY_BITS) return undefined;
    return `holds a private key that is not an RSA key of ${MIN_KEY_BITS} to ${MAX_KEY_BITS} bits`;
  } catch {
    return 'holds no private key in PEM';
  }
}

function readBase(text: string): string | undefined {
  const url = URL.parse(text);
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:')) return undefined;
  if (url.username || url.password || url.search || url.hash) return undefined;
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

/** A repository as the API names it. */
export interface GitHubRepository {
  readonly owner: string;
  readonly name: string;
}

export interface AppQuestion {
  readonly app: GitHubApp;
  /** `namespace/name`. */
  readonly secret: string;
  /** As the Application names it. */
  readonly repoUrl: string;
  /** It is a chart or an artifact of a registry. */
  readonly isArtifact: boolean;
}

/** Throws StageError InvalidSecret if the app opens no repository at this address. */
export function gitHubRepositoryOf({ app, secret, repoUrl, isArtifact }: AppQuestion): GitHubRepository {
  const refuse = (problem: string): never => {
    throw sourceError(
      'InvalidSecret',
      `The Secret ${secret} is for a GitHub App, ${problem}. Use another Secret for ${cleanText(repoUrl)}.`,
    );
  };
  if (isArtifact) return refuse('which opens Git repositories, and no charts or artifacts of registries');
  if (isSshForm(repoUrl)) return refuse('which opens repositories over https, and none by ssh');
  const url = new URL(repoUrl);
  const { hostname } = new URL(app.apiBase);
  if (hostname !== url.hostname && hostname !== `api.${url.hostname}`) {
    return refuse(
      `whose API is at ${hostname}, and the repository is on another host (githubAppBaseURL names the API)`,
    );
  }
  const [, owner, name] = /^\/+([\w.-]+)\/+([\w.-]+?)(?:\.git)?\/*$/.exec(url.pathname) ?? [];
  if (owner === undefined || name === undefined)
    return refuse('whose repositories have addresses of the form https://<host>/<owner>/<name>');
  return { owner, name };
}
