/**
 * The credential of a repository, read with the rights of the Application: the agent's own rights say nothing about the
 * Secrets that a tenant may use. It is that of the Secret that the spec names, or else of the labelled Secret of the
 * Application's namespace whose address fits best.
 *
 * Invariant: read for each request that needs it and not kept, so that a changed Secret counts from the next poll.
 */
import { secretsFor, type LabelledSecret, type WantedAddress } from '../../application/credential-secret.ts';
import type { Application } from '../../application/schema.ts';
import type { NamedSource } from '../../application/source-schema.ts';
import type { Refusal } from '../../cluster/answers.ts';
import { describeIdentity, type Identity } from '../../cluster/identity.ts';
import type { CredentialSecrets, HubClient } from '../../cluster/ports.ts';
import { sourceError } from '../../object/source-error.ts';
import { StageError } from '../../object/stage-error.ts';
import { parseCredential, type Credential, type SecretContent } from '../../source/credential.ts';
import type { SourceVerification } from '../../source/ports.ts';
import { parseChartVerification, parseGitVerification, parseVerification } from '../../source/verification.ts';

export interface CredentialQuestion {
  readonly application: Pick<Application, 'metadata' | 'spec'>;
  readonly identity: Identity;
  readonly context: {
    readonly hub: {
      as(identity: Identity): Pick<HubClient, 'readSecret'>;
      readonly credentialSecrets: CredentialSecrets;
    };
  };
  /** Another repository than `spec.source`. */
  readonly other?: OtherRepository;
}

export interface OtherRepository extends WantedAddress {
  /** Name of the Secret that the spec names for it, if any. */
  readonly secretName: string | undefined;
  /** The field that names the Secret, for messages. */
  readonly field: string;
}

/**
 * undefined: there is no Secret for the repository. Throws StageError SecretNotFound, SecretForbidden, SecretUnreadable
 * or InvalidSecret.
 */
export async function readCredential(question: CredentialQuestion): Promise<Credential | undefined> {
  const { repoURL, chart, secretName, field } = repositoryOf(question);
  if (secretName === undefined) return readLabelled(question, { repoURL, chart });
  return parseCredential(await readNamed(question, { name: secretName, field }));
}

/**
 * The keys of `verify` of spec.source, or of an entry of spec.sources. undefined: it asks for no signature. Throws the
 * same StageErrors.
 */
export async function readVerification(
  question: Pick<CredentialQuestion, 'application' | 'identity'> & {
    readonly context: { readonly hub: Pick<CredentialQuestion['context']['hub'], 'as'> };
  },
  other?: Pick<NamedSource, 'name' | 'verify'>,
): Promise<SourceVerification | undefined> {
  const { verify } = other ?? question.application.spec.source;
  if (!verify) return undefined;
  const field = verifyFieldOf(other);
  const secret = await readNamed(question, { name: verify.secretRef.name, field: `${field}.secretRef` });
  const { mode, provider } = verify;
  if (mode !== undefined) return parseGitVerification(secret, { mode, field });
  return provider === 'helm' ? parseChartVerification(secret, field) : parseVerification(secret, field);
}

/** For messages. */
export function verifyFieldOf(other: Pick<NamedSource, 'name'> | undefined): string {
  return other === undefined ? 'spec.source.verify' : `spec.sources[${other.name}].verify`;
}

function repositoryOf({ application, other }: CredentialQuestion): OtherRepository {
  if (other) return other;
  const { repoURL, chart, secretRef } = application.spec.source;
  return { repoURL, chart, secretName: secretRef?.name, field: 'spec.source.secretRef' };
}

type SecretQuestion = Parameters<typeof readVerification>[0];

async function readNamed(
  { application, identity, context }: SecretQuestion,
  { name, field }: { readonly name: string; readonly field: string },
): Promise<SecretContent> {
  const { namespace } = application.metadata;
  const secret = `${namespace}/${name}`;
  const answer = await context.hub.as(identity).readSecret(namespace, name);
  if (!answer.ok) throw refused({ secret, of: field, identity }, answer.refusal);
  if (answer.data) return { secret, data: answer.data };
  throw sourceError(
    'SecretNotFound',
    `The Secret ${secret} of ${field} does not exist. Create it, or name another one.`,
  );
}

/** The best Secret by label that still exists and still says so. */
async function readLabelled(question: CredentialQuestion, wanted: WantedAddress): Promise<Credential | undefined> {
  const { application, identity, context } = question;
  const { namespace } = application.metadata;
  const listed = await context.hub.credentialSecrets.list(identity, namespace);
  if (!listed.ok) {
    // Most repositories need no such Secret, and the account of their Application may list none.
    if (listed.refusal.code === 'Forbidden') return undefined;
    throw unreadable(`The Secrets with credentials of the namespace ${namespace} could not be listed`, listed.refusal);
  }
  for (const found of secretsFor(wanted, listed.secrets)) {
    const secret = `${namespace}/${found.name}`;
    const answer = await context.hub.as(identity).readSecret(namespace, found.name);
    if (!answer.ok) throw refused({ secret, of: `the label ${found.label}`, identity }, answer.refusal);
    const { data, labels } = answer;
    if (data && isStill(found, { data, labels })) return parseCredential({ secret, data });
    context.hub.credentialSecrets.doubt(identity, namespace);
  }
  return undefined;
}

interface ReadSecret {
  readonly data: ReadonlyMap<string, Buffer>;
  readonly labels: Readonly<Record<string, string>> | undefined;
}

/** A list may be some minutes old: a Secret that was taken away from an address meanwhile is not used for it. */
function isStill({ label, type, url }: LabelledSecret, { data, labels }: ReadSecret): boolean {
  return labels?.[label] === type && data.get('url')?.toString('utf8').trim() === url;
}

interface AskedSecret {
  /** `namespace/name`. */
  readonly secret: string;
  /** A field, or a label. */
  readonly of: string;
  readonly identity: Identity;
}

function refused({ secret, of, identity }: AskedSecret, refusal: Refusal): Error {
  if (refusal.code === 'Forbidden') {
    return sourceError(
      'SecretForbidden',
      `The Secret ${secret} of ${of} may not be read by ${describeIdentity(identity)}. ` +
        'Allow it the verb get on this Secret.',
    );
  }
  return unreadable(`The Secret ${secret} of ${of} could not be read`, refusal);
}

function unreadable(sentence: string, { message, retry }: Refusal): Error {
  const afterMs = typeof retry === 'object' ? retry.afterMs : undefined;
  return sourceError('SecretUnreadable', `${sentence}: ${message}.`, { afterMs });
}

/** Errors of a poll that another Secret may mend. */
const ABOUT_ACCESS: ReadonlySet<string> = new Set([
  ...['AuthenticationRequired', 'CredentialsRefused', 'AccessDenied', 'AppNotInstalled', 'RepositoryNotFound'],
  ...['TlsFailed', 'HostKeyUnknown', 'InvalidSecret', 'SecretForbidden', 'NotGit', 'RedirectRefused', 'RateLimited'],
]);

/**
 * The error of a poll, with a sentence about Secrets that could not be looked for. After an error about access the next
 * poll looks for Secrets by label again.
 */
export async function explainAccess(error: unknown, question: CredentialQuestion): Promise<unknown> {
  if (!(error instanceof StageError) || !ABOUT_ACCESS.has(error.code)) return error;
  if (repositoryOf(question).secretName !== undefined) return error;
  const { application, identity, context } = question;
  const { namespace } = application.metadata;
  const listed = await context.hub.credentialSecrets.list(identity, namespace);
  context.hub.credentialSecrets.doubt(identity, namespace);
  if (listed.ok || listed.refusal.code !== 'Forbidden') return error;
  const { stage, code, retry, cause } = error;
  const note =
    `Secrets with credentials by label were not looked for, since ${describeIdentity(identity)} may not list Secrets ` +
    `of the namespace ${namespace}.`;
  return new StageError({ stage, code, retry, message: `${error.message} ${note}`, cause });
}
