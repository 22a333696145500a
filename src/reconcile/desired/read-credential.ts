/**
 * The credential of an Application's repository, read with the rights of the Application: the agent's own rights say
 * nothing about the Secrets that a tenant may use.
 *
 * Invariant: read for each request that needs it and not kept, so that a changed Secret counts from the next poll.
 */
import type { Application, NamedSource } from '../../application/schema.ts';
import type { Refusal } from '../../cluster/answers.ts';
import { describeIdentity, type Identity } from '../../cluster/identity.ts';
import type { HubClient } from '../../cluster/ports.ts';
import { sourceError } from '../../object/source-error.ts';
import { parseCredential, type Credential, type SecretContent } from '../../source/credential.ts';
import type { SourceVerification } from '../../source/ports.ts';
import { parseGitVerification, parseVerification } from '../../source/verification.ts';

export interface CredentialQuestion {
  readonly application: Pick<Application, 'metadata' | 'spec'>;
  readonly identity: Identity;
  readonly context: { readonly hub: { as(identity: Identity): Pick<HubClient, 'readSecret'> } };
  /** The Secret, and the field that names it. Absent: that of spec.source. */
  readonly secretRef?: { readonly name: string | undefined; readonly field: string };
}

/**
 * undefined: the spec names no Secret. Throws StageError SecretNotFound, SecretForbidden, SecretUnreadable or
 * InvalidSecret.
 */
export async function readCredential(question: CredentialQuestion): Promise<Credential | undefined> {
  const { source } = question.application.spec;
  const { name, field } = question.secretRef ?? { name: source.secretRef?.name, field: 'spec.source.secretRef' };
  return name === undefined ? undefined : parseCredential(await readSecret(question, { name, field }));
}

/**
 * The keys of `verify` of spec.source, or of an entry of spec.sources. undefined: it asks for no signature. Throws the
 * same StageErrors.
 */
export async function readVerification(
  question: Omit<CredentialQuestion, 'secretRef'>,
  other?: Pick<NamedSource, 'name' | 'verify'>,
): Promise<SourceVerification | undefined> {
  const { verify } = other ?? question.application.spec.source;
  if (!verify) return undefined;
  const field = verifyFieldOf(other);
  const secret = await readSecret(question, { name: verify.secretRef.name, field: `${field}.secretRef` });
  const { mode } = verify;
  return mode === undefined ? parseVerification(secret, field) : parseGitVerification(secret, { mode, field });
}

/** For messages. */
export function verifyFieldOf(other: Pick<NamedSource, 'name'> | undefined): string {
  return other === undefined ? 'spec.source.verify' : `spec.sources[${other.name}].verify`;
}

async function readSecret(
  { application, identity, context }: Omit<CredentialQuestion, 'secretRef'>,
  { name, field }: { readonly name: string; readonly field: string },
): Promise<SecretContent> {
  const { namespace } = application.metadata;
  const secret = `${namespace}/${name}`;
  const answer = await context.hub.as(identity).readSecret(namespace, name);
  if (!answer.ok) throw refused({ secret, field, identity }, answer.refusal);
  if (answer.data) return { secret, data: answer.data };
  throw sourceError(
    'SecretNotFound',
    `The Secret ${secret} of ${field} does not exist. Create it, or name another one.`,
  );
}

interface AskedSecret {
  /** `namespace/name`. */
  readonly secret: string;
  readonly field: string;
  readonly identity: Identity;
}

function refused({ secret, field, identity }: AskedSecret, { code, message, retry }: Refusal): Error {
  if (code === 'Forbidden') {
    return sourceError(
      'SecretForbidden',
      `The Secret ${secret} of ${field} may not be read by ${describeIdentity(identity)}. ` +
        'Allow it the verb get on this Secret.',
    );
  }
  const afterMs = typeof retry === 'object' ? retry.afterMs : undefined;
  return sourceError('SecretUnreadable', `The Secret ${secret} of ${field} could not be read: ${message}.`, {
    afterMs,
  });
}
