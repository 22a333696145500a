/**
 * Reviews the rights of an identity by a SelfSubjectAccessReview, which is sent as that identity. The result is only a
 * forecast: the request itself decides.
 *
 * Invariant: a review of a single name is sent only where a role could allow it, so that an account which wants many
 * objects that it may not write does not cost a review for each of them.
 */
import { stringifyJson } from '../../object/json.ts';
import type { ObjectId } from '../../object/identity.ts';
import { StageError } from '../../object/stage-error.ts';
import { valueAt, type ValueMap } from '../../object/value.ts';
import type { Clock } from '../../telemetry/ports.ts';
import { identityKey, type Identity } from '../identity.ts';
import type { KindInfo } from '../kinds.ts';
import { tryParseJson } from '../live-object.ts';
import type { WritableNames } from '../ports.ts';
import { isAnyNameListed, isNameListed, readNameRules, type NamedResource, type NameRules } from './name-rules.ts';
import type { HttpAnswer, Transport } from '../transport/transport.ts';
import { keepReviews } from './kept-reviews.ts';
import { refusalOf } from './refusal.ts';

const GROUP = 'authorization.k8s.io';
const ACCESS = 'SelfSubjectAccessReview';
const RULES = 'SelfSubjectRulesReview';

/** A server-side apply that may create the object needs both. */
const WRITE_VERBS = ['create', 'patch'] as const;

/** Reviews of the rules of an account in a namespace that are remembered at once. */
const MAX_KEPT_RULES = 256;

/** Names that are reviewed for one account and namespace in the time of a review, where no list of rules tells them. */
const MAX_UNLISTED_NAMES = 100;

export interface Rights {
  /**
   * Which objects of a kind in a namespace the identity may create and change. Each account, verb, kind and namespace
   * is asked about once in a while. Throws StageError where there is no answer; a review that is refused shows no
   * right.
   */
  writableNames(identity: Identity, kind: KindInfo, place: Pick<ObjectId, 'namespace'>): Promise<WritableNames>;
  /** Whether the identity may create and change an object, also by a role that is limited to its name. */
  mayWriteName(identity: Identity, kind: KindInfo, object: Pick<ObjectId, 'namespace' | 'name'>): Promise<boolean>;
}

export interface RightsOptions {
  readonly transport: Pick<Transport, 'send'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}

interface KeptRules {
  readonly rules: NameRules;
  /** Names that were reviewed although no rule lists them, as `group resource name`. */
  readonly unlisted: Set<string>;
}

export function createRights({ transport, clock }: RightsOptions): Rights {
  const ask = keepReviews<boolean>(clock);
  const askRules = keepReviews<KeptRules>(clock, MAX_KEPT_RULES);
  const areAllowed = async (identity: Identity, target: Omit<Attributes, 'verb'>): Promise<boolean> => {
    const { group, resource, namespace = '', name = '' } = target;
    for (const verb of WRITE_VERBS) {
      const key = [identityKey(identity), verb, group, resource, namespace, name].join(' ');
      const send = async (): Promise<boolean> => readReview(await review(transport, identity, { verb, ...target }));
      if (!(await ask(key, send))) return false;
    }
    return true;
  };
  const rulesOf = (identity: Identity, { namespace = '' }: Pick<Attributes, 'namespace'>): Promise<KeptRules> => {
    // The rules of a ClusterRoleBinding are those of every namespace.
    const scope = namespace || (identity.type === 'agent' ? 'default' : identity.namespace);
    const send = async (): Promise<KeptRules> => ({
      rules: await readRules(transport, identity, scope),
      unlisted: new Set(),
    });
    return askRules(`${identityKey(identity)} ${scope}`, send);
  };
  return {
    async writableNames(identity, kind, place) {
      const target = targetOf(kind, place);
      if (await areAllowed(identity, target)) return 'all';
      return isAnyNameListed((await rulesOf(identity, target)).rules, target) ? 'some' : 'none';
    },
    async mayWriteName(identity, kind, { namespace, name }) {
      const target = { ...targetOf(kind, { namespace }), name };
      return isWorthReview(await rulesOf(identity, target), target) && areAllowed(identity, target);
    },
  };
}

function targetOf(
  { group, version, plural: resource, isNamespaced }: KindInfo,
  { namespace }: Pick<ObjectId, 'namespace'>,
): Omit<Attributes, 'verb'> {
  return { group, version, resource, ...(isNamespaced && namespace ? { namespace } : {}) };
}

function isWorthReview({ rules, unlisted }: KeptRules, named: NamedResource): boolean {
  if (rules !== 'unknown') return isNameListed(rules, named);
  const { group, resource, name } = named;
  if (unlisted.size < MAX_UNLISTED_NAMES) unlisted.add(`${group} ${resource} ${name}`);
  return unlisted.has(`${group} ${resource} ${name}`);
}

/** Whether the identity may list and watch a kind in all namespaces; false if there is no answer. */
export async function mayWatchEverywhere(
  transport: Pick<Transport, 'send'>,
  identity: Identity,
  { group, version, plural }: KindInfo,
): Promise<boolean> {
  const answers = await Promise.all(
    ['list', 'watch'].map((verb) => review(transport, identity, { verb, group, version, resource: plural })),
  );
  return answers.every(isAllowedBy);
}

interface Attributes {
  readonly verb: string;
  readonly group: string;
  readonly version: string;
  /** The plural name. */
  readonly resource: string;
  /** Absent: all namespaces, or a cluster-scoped kind. */
  readonly namespace?: string;
  /** Absent: all names. */
  readonly name?: string;
}

function review(
  transport: Pick<Transport, 'send'>,
  identity: Identity,
  resourceAttributes: Attributes,
): Promise<HttpAnswer> {
  return post(transport, identity, { kind: ACCESS, spec: { resourceAttributes: { ...resourceAttributes } } });
}

/** The rules of the identity in a namespace that name single objects. Never rejects. */
async function readRules(
  transport: Pick<Transport, 'send'>,
  identity: Identity,
  namespace: string,
): Promise<NameRules> {
  const { status, text } = await post(transport, identity, { kind: RULES, spec: { namespace } });
  return status === 201 || status === 200 ? readNameRules(valueAt(tryParseJson(text), 'status')) : 'unknown';
}

interface Question {
  readonly kind: typeof ACCESS | typeof RULES;
  readonly spec: ValueMap;
}

function post(transport: Pick<Transport, 'send'>, identity: Identity, { kind, spec }: Question): Promise<HttpAnswer> {
  return transport.send({
    verb: 'create',
    method: 'POST',
    path: `/apis/${GROUP}/v1/${kind.toLowerCase()}s`,
    identity,
    category: 'other',
    contentType: 'application/json',
    body: stringifyJson({ apiVersion: `${GROUP}/v1`, kind, spec }),
  });
}

function isAllowedBy({ text }: HttpAnswer): boolean {
  return valueAt(tryParseJson(text), 'status', 'allowed') === true;
}

/** Answers that a repetition does not change: the account may not even ask, or is not served. */
const REFUSED: ReadonlySet<number> = new Set([401, 403, 404, 405]);

function readReview(answer: HttpAnswer): boolean {
  if (answer.status === 201 || answer.status === 200) return isAllowedBy(answer);
  if (REFUSED.has(answer.status)) return false;
  const { code, message, retry } = refusalOf(answer, 'create', { group: GROUP, kind: ACCESS });
  throw new StageError({
    stage: 'observe',
    code,
    retry,
    message: `the rights of an account cannot be read: ${message}`,
  });
}
