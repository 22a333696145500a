/**
 * Finds out by reviews of the API server which Applications and objects a caller may see.
 *
 * Invariant: the number of reviews for one answer is bounded. Namespaces beyond the bound count as not visible.
 */
import { PLURAL } from '../../application/keys.ts';
import { forEachConcurrently } from '../../cluster/concurrency.ts';
import { createKindFinder } from '../../cluster/kinds.ts';
import type { AccessQuestion, Hub } from '../../cluster/ports.ts';
import { APPLICATION_GROUP } from '../../object/applyset.ts';
import type { ObjectId } from '../../object/identity.ts';
import type { KnownApplication } from './views.ts';

export interface Reviewed {
  /** Throws StageError where there is no answer. */
  readonly may: (question: AccessQuestion) => Promise<boolean>;
}

/** Reviews of one answer that are under way at once. */
const REVIEWS_AT_ONCE = 10;
/** Namespaces that are reviewed for one answer, where the caller may not list Applications everywhere. */
export const MAX_REVIEWED_NAMESPACES = 200;
/** Kinds and namespaces of objects that are reviewed for one answer. */
const MAX_REVIEWED_KINDS = 500;

const APPLICATIONS = { group: APPLICATION_GROUP, resource: PLURAL };

export interface Visible {
  /** In the order of the question. */
  readonly namespaces: readonly string[];
  /** Number of namespaces that were not reviewed. */
  readonly unreviewed: number;
}

/** The namespaces in which the caller may list Applications. */
export async function visibleNamespaces(caller: Reviewed, namespaces: readonly string[]): Promise<Visible> {
  const question = { ...APPLICATIONS, verb: 'list' };
  if (await caller.may(question)) return { namespaces, unreviewed: 0 };
  const reviewed = namespaces.slice(0, MAX_REVIEWED_NAMESPACES);
  return {
    namespaces: await filterAllowed(caller, reviewed, (namespace) => ({ ...question, namespace })),
    unreviewed: namespaces.length - reviewed.length,
  };
}

export function mayGetApplication(
  caller: Reviewed,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): Promise<boolean> {
  return caller.may({ ...APPLICATIONS, verb: 'get', namespace, name });
}

async function filterAllowed<T>(
  caller: Reviewed,
  items: readonly T[],
  toQuestion: (item: T) => AccessQuestion,
): Promise<readonly T[]> {
  const allowed = new Set<T>();
  await forEachConcurrently(items, { concurrency: REVIEWS_AT_ONCE }, async (item) => {
    if (await caller.may(toQuestion(item))) allowed.add(item);
  });
  return items.filter((item) => allowed.has(item));
}

export interface Readable {
  readonly may: (id: ObjectId) => boolean;
  /** One text for the answers, for the tag of what is made with them. */
  readonly text: string;
}

/** Which objects the caller may get, by kind and namespace. Only objects with values to show are asked about. */
export async function readableKinds(
  caller: Reviewed,
  { view }: KnownApplication,
  hub: Pick<Hub, 'kinds'>,
): Promise<Readable> {
  const shown = (view?.objects ?? []).filter(({ fields, patch }) => fields.length > 0 || patch !== undefined);
  if (shown.length === 0) return { may: () => false, text: '' };
  const find = createKindFinder(await hub.kinds());
  const questions = new Map<string, AccessQuestion>();
  for (const { id } of shown) {
    const key = placeKey(id);
    if (questions.has(key)) continue;
    const kind = find(id);
    if (kind === undefined || kind === 'unavailable') continue;
    const place = kind.isNamespaced ? { namespace: id.namespace } : {};
    questions.set(key, { verb: 'get', group: id.group, resource: kind.plural, ...place });
    if (questions.size === MAX_REVIEWED_KINDS) break;
  }
  const allowed = new Map(await filterAllowed(caller, [...questions], ([, question]) => question));
  return { may: (id) => allowed.has(placeKey(id)), text: [...allowed.keys()].join(' ') };
}

function placeKey({ group, kind, namespace }: ObjectId): string {
  return `${group}/${kind}/${namespace}`;
}
