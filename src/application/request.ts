/**
 * A user's request to an Application: the annotation `tautline.dev/request`, JSON {id, action} and what else the action
 * takes. Invariant: what is not understood to the last field is refused, never half obeyed; reading never throws.
 */
import { z } from 'zod';
import { isPrintable } from '../object/printable.ts';
import { REQUEST_ANNOTATION } from './keys.ts';

/** Longer annotations are refused unread. */
const MAX_REQUEST_CHARS = 65_536;

/** Chosen by the caller, new for each request; `status.lastRequest.id` repeats it. */
const id = z.string().min(1).max(128).refine(isPrintable, 'must hold nothing invisible');

const requestSchema = z.discriminatedUnion('action', [
  /** Fetch and compare now. */
  z.strictObject({ id, action: z.literal('refresh') }),
  /** Fetch, compare and apply now, also in mode manual. */
  z.strictObject({
    id,
    action: z.literal('sync'),
    /** The commit (40 hex digits) to apply instead of the newest of spec.source.revision; this once. */
    revision: z
      .string()
      .regex(/^[0-9a-f]{40}$/, 'must be a commit of 40 hex digits')
      .optional(),
    /** Whether objects that left Git are pruned; absent: as spec.sync.prune says. */
    prune: z.boolean().optional(),
    /** Nothing is written; the answer tells what would be. */
    dryRun: z.boolean().optional(),
    /** Only these objects, by `group/Kind/namespace/name` with empty parts as they are. */
    objects: z.array(z.string().min(3).max(600)).min(1).max(100).optional(),
  }),
  /** As sync, and what the prune guard holds may be deleted. */
  z.strictObject({ id, action: z.literal('confirm-prune') }),
]);

export type ApplicationRequest = z.output<typeof requestSchema>;

export type ParsedRequest =
  | { readonly ok: true; readonly request: ApplicationRequest }
  | {
      readonly ok: false;
      /** For people. */
      readonly problem: string;
      /** What to answer in `status.lastRequest.id`: the request's id, or `unreadable` where it has none. */
      readonly id: string;
    };

/** undefined where there is no request. */
export function parseRequest(annotation: string | undefined): ParsedRequest | undefined {
  if (annotation === undefined || annotation === '') return undefined;
  if (annotation.length > MAX_REQUEST_CHARS)
    return refused(undefined, `it has more than ${MAX_REQUEST_CHARS} characters`);
  let value: unknown;
  try {
    value = JSON.parse(annotation);
  } catch {
    return refused(undefined, 'it is no JSON');
  }
  const parsed = requestSchema.safeParse(value);
  if (parsed.success) return { ok: true, request: parsed.data };
  const issue = parsed.error.issues[0];
  return refused(value, issue ? `${issue.path.join('.') || 'request'}: ${issue.message}` : 'it is malformed');
}

/** How a person lets a held prune go on, for messages. */
export const HOW_TO_CONFIRM = `confirm it with the annotation ${REQUEST_ANNOTATION}: '{"id":"…","action":"confirm-prune"}'`;

/** The text for the annotation. */
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
