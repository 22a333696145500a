/**
 * The credential of an Application's repository, read with the rights of the Application: the agent's own rights say
 * nothing about the Secrets that a tenant may use.
 *
 * Invariant: read for each request that needs it and not kept, so that a changed Secret counts from the next poll.
 */
import type { Application } from '../../application/schema.ts';
import type { Refusal } from '../../cluster/answers.ts';
import type { Identity } from '../../cluster/identity.ts';
import type { HubClient } from '../../cluster/ports.ts';
import { parseCredential, type Credential } from '../../source/credential.ts';
import { sourceError } from '../../source/source-error.ts';

export interface CredentialQuestion {
  readonly application: Pick<Application, 'metadata' | 'spec'>;
  readonly identity: Identity;
  readonly context: { readonly hub: { as(identity: Identity): Pick<HubClient, 'readSecret'> } };
}

/**
 * undefined: the spec names no Secret. Throws StageError SecretNotFound, SecretForbidden, SecretUnreadable or
 * InvalidSecret.
 */
export async function readCredential({
  application,
  identity,
  context,
}: CredentialQuestion): Promise<Credential | undefined> {
  const { namespace } = application.metadata;
  const name = application.spec.source.secretRef?.name;
  if (name === undefined) return undefined;
  const secret = `${namespace}/${name}`;
  const answer = await context.hub.as(identity).readSecret(namespace, name);
  if (!answer.ok) throw refused(secret, answer.refusal, identity);
  if (answer.data) return parseCredential({ secret, data: answer.data });
  throw sourceError(
    'SecretNotFound',
    `The Secret ${secret} of spec.source.secretRef does not exist. Create it, or name another one.`,
  );
}

function refused(secret: string, { code, message, retry }: Refusal, identity: Identity): Error {
  if (code === 'Forbidden') {
    const account =
      identity.type === 'agent' ? 'the agent itself' : `the ServiceAccount ${identity.namespace}/${identity.name}`;
    return sourceError(
      'SecretForbidden',
      `The Secret ${secret} of spec.source.secretRef may not be read by ${account}. ` +
        'Allow it the verb get on this Secret.',
    );
  }
  const afterMs = typeof retry === 'object' ? retry.afterMs : undefined;
  return sourceError(
    'SecretUnreadable',
    `The Secret ${secret} of spec.source.secretRef could not be read: ${message}.`,
    { afterMs },
  );
}
