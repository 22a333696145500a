/**
 * A user's request to an Application: the annotation `tautline.dev/request`, JSON with `id`, `action` and the options
 * of the action. Invariant: a request with any unknown field or value is refused as a whole; parsing never throws.
 */
import { z } from 'zod';
import { isPrintable } from '../object/printable.ts';
import { describeIssue } from './issue-words.ts';

/** Longer annotations are refused without parsing. */
const MAX_REQUEST_CHARS = 65_536;

/** Chosen by the caller, different for each request. `status.lastRequest.id` repeats it. */
const id = z.string().min(1).max(128).refine(isPrintable, 'must not contain invisible characters');

const commit = z
  .string()
  .regex(
    /^([0-9a-f]{40}|[0-9a-f]{64})$/,
    'must be a commit of 40 hex digits, or the digest of a chart or artifact of 64',
  );

const requestSchema = z.discriminatedUnion('action', [
  /** Fetch and compare now. */
  z.strictObject({ id, action: z.literal('refresh') }),
  /** Fetch, compare and apply now, also in mode manual. */
  z.strictObject({
    id,
    action: z.literal('sync'),
    /** The commit (40 hex digits) or digest (64) to apply once, instead of the newest one of spec.source.revision. */
    revision: commit.optional(),
    /** Whether objects that left Git are pruned; default: spec.sync.prune. */
    prune: z.boolean().optional(),
    /** Writes nothing. The answer says what a sync would do. */
    dryRun: z.boolean().optional(),
    /** Syncs only these objects, named `group/Kind/namespace/name`; parts may be empty. */
    objects: z.array(z.string().min(3).max(600)).min(1).max(100).optional(),
  }),
  /** As sync, and the held prune is carried out, if it is still the one that status shows. */
  z.strictObject({
    id,
    action: z.literal('confirm-prune'),
    /** `status.pruneGuard.held.digest`; default: the one in status when the request is made. */
    digest: z
      .string()
      .regex(/^[\w-]{43}$/, 'must be the digest of status.pruneGuard.held')
      .optional(),
    /** The commit (40 hex digits) or digest (64) of the held prune, in mode manual where it is not the newest one. */
    revision: commit.optional(),
  }),
  /** Applies an earlier commit and holds it in force, in place of the followed one, until a newer commit comes. */
  z.strictObject({
    id,
    action: z.literal('rollback'),
    /** The commit (40 hex digits) or digest (64) to go back to. */
    revision: commit,
    /** Whether objects that the commit does not have are pruned; default: spec.sync.prune. */
    prune: z.boolean().optional(),
    /** For people: why, and who asks. Status repeats both. */
    reason: z.string().min(1).max(1024).refine(isPrintable, 'must not contain invisible characters').optional(),
    by: z.string().min(1).max(256).refine(isPrintable, 'must not contain invisible characters').optional(),
  }),
  /** Ends a hold: the followed revision is in force again, and as in a sync it is fetched and compared now. */
  z.strictObject({ id, action: z.literal('release') }),
  /** As sync, and objects of Applications that do not exist any more, or of another hub, are taken over. */
  z.strictObject({ id, action: z.literal('take-over') }),
]);

export type ApplicationRequest = z.output<typeof requestSchema>;

export type ParsedRequest =
  | { readonly ok: true; readonly request: ApplicationRequest }
  | {
      readonly ok: false;
      /** For people. */
      readonly problem: string;
      /** For `status.lastRequest.id`: the id of the request, or `unreadable` if it has none. */
      readonly id: string;
    };

/** undefined if there is no request. */
export function parseRequest(annotation: string | undefined): ParsedRequest | undefined {
  if (annotation === undefined || annotation === '') return undefined;
  if (annotation.length > MAX_REQUEST_CHARS)
    return refused(undefined, `it has more than ${MAX_REQUEST_CHARS} characters`);
  let value: unknown;
  try {
    value = JSON.parse(annotation);
  } catch {
    return refused(undefined, 'it is not JSON');
  }
  const parsed = requestSchema.safeParse(value);
  if (parsed.success) return { ok: true, request: parsed.data };
  const issue = parsed.error.issues[0];
  return refused(value, issue ? describeIssue(issue, '') : 'it is malformed');
}

/** How a person lets a held prune go on, for messages. */
export function howToConfirm({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return `confirm it with: tautline confirm ${name} -n ${namespace}`;
}

/** How a person takes over objects that an Application left behind, for messages. Default: any Application. */
export function howToTakeOver(by: { readonly namespace: string; readonly name: string } | undefined): string {
  return `take them over with: tautline take-over ${by ? `${by.name} -n ${by.namespace}` : 'NAME'}`;
}

/** The value of the annotation. */
export function formatRequest(request: ApplicationRequest): string {
  return JSON.stringify(request);
}

function refused(value: unknown, why: string): ParsedRequest {
  const known = id.safeParse((value as { id?: unknown } | null | undefined)?.id);
  return {
    ok: false,
    id: known.success ? known.data : 'unreadable',
    problem: `The annotation tautline.dev/request was not understood: ${why}`.slice(0, 1024),
  };
}
