/**
 * Reads a Secret as the credential of a repository, under the keys of Flux's and of Argo CD's Secrets.
 *
 * Invariants: a credential is complete and usable, or it is refused. A refusal names the Secret and the key, never a
 * value.
 */
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { sourceError } from '../object/source-error.ts';
import { GITHUB_APP_KEYS, readGitHubApp, type GitHubApp } from './github-app.ts';
import { MAX_KNOWN_HOSTS_BYTES, parseKnownHosts } from './known-hosts.ts';
import { parseDockerConfig } from './docker-config.ts';
import { maskedForms, type Masked } from './mask.ts';

/** A transport turns it into what its protocol sends, and shows it only to the host of the repository's address. */
export interface Credential extends Masked {
  /** `namespace/name` of the Secret, for messages. */
  readonly secret: string;
  /** undefined: the Secret holds no login for http and https. */
  readonly login: Login | undefined;
  /** Its tokens are the login. Absent: the Secret is not about a GitHub App. */
  readonly app?: GitHubApp;
  /** For ssh. Absent: it holds no key. */
  readonly ssh?: SshKey;
  /** From `.dockerconfigjson`: logins of registries by host, with the port if it has one. Absent: it holds none. */
  readonly registries?: ReadonlyMap<string, Login>;
  /** PEM; trusted beside the roots of the system. */
  readonly ca: string | undefined;
  /** PEM, the chain included. */
  readonly clientCertificate: { readonly certificate: string; readonly key: string } | undefined;
}

export type Login =
  | { readonly type: 'basic'; /** Without a colon. */ readonly username: string; readonly password: string }
  | { readonly type: 'bearer'; /** Printable ASCII without blanks. */ readonly token: string };

export interface SshKey {
  /** As the Secret holds it, with line ends as in Unix. */
  readonly privateKey: string;
  /** Empty: the key is not encrypted. */
  readonly passphrase: string;
  /** Lines of known_hosts that can be read. undefined: those of the agent count. */
  readonly knownHosts: string | undefined;
}

export interface SecretContent {
  /** `namespace/name`. */
  readonly secret: string;
  /** The decoded values. */
  readonly data: ReadonlyMap<string, Buffer>;
}

/** The names of each part: Flux's, its former ones, Argo CD's. The first one that holds a value counts. */
const KEYS = {
  username: ['username'],
  password: ['password'],
  bearerToken: ['bearerToken'],
  ca: ['ca.crt', 'caFile'],
  certificate: ['tls.crt', 'certFile', 'tlsClientCertData'],
  key: ['tls.key', 'keyFile', 'tlsClientCertKey'],
  privateKey: ['identity', 'sshPrivateKey', 'ssh-privatekey'],
  knownHosts: ['known_hosts'],
  ...GITHUB_APP_KEYS,
} as const;

type Part = keyof typeof KEYS;

interface Value {
  /** The key under which it was found; without a value, the first one of its names. */
  readonly name: string;
  /** Empty if the Secret does not hold it; an empty value counts as missing. */
  readonly text: string;
}

/**
 * Throws StageError InvalidSecret. Ignores keys that are not about access (`url`, `type`, `project`…), and the public
 * key of a private one (`identity.pub`).
 */
export function parseCredential({ secret, data }: SecretContent): Credential {
  const refuse = (problem: string): never => {
    throw sourceError('InvalidSecret', `The Secret ${secret} ${problem}.`);
  };
  const read = (part: Part): Value => {
    const name = KEYS[part].find((candidate) => data.get(candidate)?.length) ?? KEYS[part][0];
    return {
      name,
      text: decode(data.get(name) ?? Buffer.alloc(0)) ?? refuse(`holds bytes under ${name} that are not UTF-8 text`),
    };
  };
  const ssh = readSshKey(read, refuse);
  const login = ssh ? undefined : readLogin(read, refuse);
  const app = readGitHubApp(read, refuse);
  if (app && (ssh || login)) refuse('is for a GitHub App, and holds another login beside it. Keep one of them');
  const { ca, clientCertificate } = readCertificates(read, refuse);
  const registries = readRegistries(data.get(DOCKER_CONFIG_KEY), refuse);
  if (!login && !ssh && !app && ca === undefined && clientCertificate === undefined && registries === undefined) {
    refuse(
      'holds no credentials that Tautline knows. Give it username and password, or bearerToken; githubAppID and githubAppPrivateKey; ca.crt; tls.crt and tls.key; for ssh identity and known_hosts; for a registry also .dockerconfigjson',
    );
  }
  const secrets = [login, ...(registries?.values() ?? [])].flatMap(secretsOf);
  const maskedTexts = maskedForms(ssh ? [...secrets, ssh.passphrase] : secrets);
  const others = { ...(ssh && { ssh }), ...(app && { app }), ...(registries && { registries }) };
  return { secret, login, ca, clientCertificate, ...others, maskedTexts };
}

/** The key of Secrets of the type kubernetes.io/dockerconfigjson. */
const DOCKER_CONFIG_KEY = '.dockerconfigjson';

/** undefined: the Secret does not hold the key. */
function readRegistries(value: Buffer | undefined, refuse: Refuse): ReadonlyMap<string, Login> | undefined {
  if (!value?.length) return undefined;
  const logins = parseDockerConfig(value);
  if (!logins) return refuse(`holds no valid JSON with auths under ${DOCKER_CONFIG_KEY}`);
  for (const { username, password } of logins.values()) {
    if (/\p{Cc}/u.test(username + password) || username.includes(':')) {
      refuse(`holds a user name or password under ${DOCKER_CONFIG_KEY} with a character that is not allowed`);
    }
  }
  return logins;
}

type Read = (part: Part) => Value;
type Refuse = (problem: string) => never;

/** The key itself is decoded when a connection is opened, since a passphrase costs time. */
function readSshKey(read: Read, refuse: Refuse): SshKey | undefined {
  const [privateKey, passphrase, knownHosts] = [read('privateKey'), read('password'), read('knownHosts')];
  if (privateKey.text === '') return undefined;
  for (const part of ['username', 'bearerToken'] as const) {
    if (read(part).text !== '')
      refuse(
        `holds both ${privateKey.name} and ${part}. Keep the one that fits the address: ${privateKey.name} for ssh`,
      );
  }
  const lines = privateKey.text.replaceAll('\r\n', '\n').trim();
  if (!/^-----BEGIN [A-Z ]*PRIVATE KEY-----\n/.test(lines)) {
    refuse(`holds no private key in PEM or in the form of OpenSSH under ${privateKey.name}`);
  }
  return {
    privateKey: `${lines}\n`,
    passphrase: passphrase.text.replace(/\r?\n$/, ''),
    knownHosts: checkKnownHosts(knownHosts, refuse),
  };
}

function checkKnownHosts({ name, text }: Value, refuse: Refuse): string | undefined {
  if (text === '') return undefined;
  if (text.length > MAX_KNOWN_HOSTS_BYTES) refuse(`holds more than ${MAX_KNOWN_HOSTS_BYTES} bytes under ${name}`);
  const parsed = parseKnownHosts(text);
  if (parsed.ok) return text;
  return refuse(`holds a line under ${name} that is not in the form of OpenSSH: line ${parsed.lineNumber}`);
}

function readLogin(read: Read, refuse: Refuse): Login | undefined {
  const [username, password, token] = (['username', 'password', 'bearerToken'] as const).map((part) => {
    const { name, text } = read(part);
    // Editors and shells leave one line end behind.
    return { name, text: text.replace(/\r?\n$/, '') };
  }) as [Value, Value, Value];
  for (const { name, text } of [username, password, token]) {
    if (/\p{Cc}/u.test(text)) refuse(`holds a line break or another control character under ${name}`);
  }
  checkPair(username, password, refuse);
  if (username.text !== '' && token.text !== '') {
    refuse('holds both username and bearerToken. Keep the one that the server wants');
  }
  if (token.text !== '') {
    if (!/^[\x21-\x7e]+$/.test(token.text))
      refuse(`holds characters under ${token.name} that are not allowed in a header`);
    return { type: 'bearer', token: token.text };
  }
  if (username.text === '') return undefined;
  if (username.text.includes(':')) refuse(`holds a colon under ${username.name}, which a user name must not hold`);
  return { type: 'basic', username: username.text, password: password.text };
}

/** From this length on a user name may be a token: some servers take one in its place. */
const MIN_SECRET_NAME_CHARS = 16;

/** Texts that must not appear in any message; basic authentication also sends both as one text in base64. */
function secretsOf(login: Login | undefined): string[] {
  if (!login) return [];
  if (login.type === 'bearer') return [login.token];
  const { username, password } = login;
  const pair = Buffer.from(`${username}:${password}`).toString('base64');
  return [pair, password, ...(username.length >= MIN_SECRET_NAME_CHARS ? [username] : [])];
}

function readCertificates(read: Read, refuse: Refuse): Pick<Credential, 'ca' | 'clientCertificate'> {
  const [ca, certificate, key] = [read('ca'), read('certificate'), read('key')];
  if (ca.text !== '' && !areCertificates(ca.text)) refuse(`holds no certificates in PEM under ${ca.name}`);
  checkPair(certificate, key, refuse);
  if (certificate.text !== '') checkKeyPair(certificate, key, refuse);
  return {
    ca: ca.text || undefined,
    clientCertificate: certificate.text === '' ? undefined : { certificate: certificate.text, key: key.text },
  };
}

function checkPair(one: Value, other: Value, refuse: Refuse): void {
  const [present, absent] = one.text === '' ? [other, one] : [one, other];
  if (present.text !== '' && absent.text === '') refuse(`holds ${present.name} without ${absent.name}`);
}

function checkKeyPair(certificate: Value, key: Value, refuse: Refuse): void {
  if (!areCertificates(certificate.text)) refuse(`holds no certificate in PEM under ${certificate.name}`);
  if (key.text.includes('ENCRYPTED')) {
    refuse(`holds an encrypted key under ${key.name}. Store it without a passphrase`);
  }
  const parsed = parseKey(key.text) ?? refuse(`holds no private key in PEM under ${key.name}`);
  if (!new X509Certificate(certificate.text).checkPrivateKey(parsed)) {
    refuse(`holds a key under ${key.name} that does not belong to the certificate under ${certificate.name}`);
  }
}

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

function areCertificates(pem: string): boolean {
  try {
    const blocks = pem.match(PEM_CERTIFICATE) ?? [];
    return blocks.map((block) => new X509Certificate(block)).length > 0;
  } catch {
    return false;
  }
}

function parseKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}

function decode(value: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(value);
  } catch {
    return undefined;
  }
}
