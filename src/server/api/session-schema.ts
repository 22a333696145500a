/** Inputs and answers of the operations of sessions. */
import { z } from 'zod';
import { MAX_SESSION_TOKEN_CHARS } from '../session/sessions.ts';

export const WAYS = ['token', 'oidc', 'kubeconfig'] as const;

export const sessionSchema = z.object({
  signedIn: z.boolean(),
  user: z.string().optional().describe('Name of the caller, as the API server tells it.'),
  groups: z.array(z.string()).optional().describe('Groups of the caller.'),
  expiresAt: z
    .string()
    .optional()
    .describe('When the session or the token ends (RFC 3339); absent if that is not known.'),
  ways: z
    .array(z.enum(WAYS))
    .describe('How people can sign in. kubeconfig: the page is served to its owner, who is signed in always.'),
  oidc: z
    .object({ name: z.string().describe('Name of the provider for people.') })
    .optional()
    .describe('The OpenID Connect provider; absent if there is none.'),
});

export type SessionView = z.output<typeof sessionSchema>;

export const signInSchema = z.strictObject({
  token: z
    .string()
    .min(1)
    .max(MAX_SESSION_TOKEN_CHARS)
    .regex(/^[\w.~+/-]+=*$/, 'must be a bearer token')
    .describe('A token that the API server of the cluster knows.'),
});

/** A path of this site: a browser reads two slashes, or a backslash, as the name of another one. */
const LOCAL_PATH = /^\/(?![/\\])[^\\\x00-\x20\x7f-\uffff]*$/;

export const oidcQuerySchema = z.strictObject({
  return: z
    .string()
    .max(2_048)
    .regex(LOCAL_PATH, 'must be a path of this site, such as /applications')
    .default('/')
    .describe('Path to which the browser goes in the end. Default: /.'),
});

/** Providers add fields of their own. */
export const callbackQuerySchema = z.looseObject({
  code: z.string().max(4_096).optional().describe('Code of the provider.'),
  state: z.string().max(256).optional().describe('The state that the flow was begun with.'),
  error: z.string().max(256).optional().describe('Why the provider did not sign in the person.'),
});
