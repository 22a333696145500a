/**
 * Compares objects without their ignored fields, and builds the body that leaves these fields unchanged.
 *
 * Invariant: an object without ignored fields is returned as it is, at no cost.
 */
import type { DesiredObject } from '../bind/desired.ts';
import type { LiveObject } from '../cluster/live.ts';
import { FIELD_MANAGER } from '../object/applyset.ts';
import { BUILT_IN_GROUPS } from '../object/built-in-groups.ts';
import { managedFieldsOf, type ManagedFields } from '../object/field-set.ts';
import { pathSetOf } from '../object/path-set.ts';
import { isSecret } from '../object/redact.ts';
import {
  isKubeObject,
  isMap,
  listAt,
  newMap,
  stringAt,
  type KubeObject,
  type Value,
  type ValueMap,
} from '../object/value.ts';
import { cutFields } from './cut-fields.ts';
import type { CutContext } from './cut-place.ts';

interface ComparedSides {
  readonly desired: DesiredObject;
  readonly live: LiveObject;
}

/** Both objects without their ignored fields, in values and in our own managedFields entry. */
export function withoutIgnored(desired: DesiredObject, live: LiveObject): ComparedSides {
  if (!desired.ignored) return { desired, live };
  const { parts } = cutObject(desired, live, desired.ignored);
  const { ignored: _, ...rest } = desired;
  return {
    desired: { ...rest, body: objectOr(parts.desired, desired.body), digest: judgedDigest(desired) },
    live: { ...live, body: withOwnEntry(objectOr(parts.live, live.body), parts.owned ?? newMap()) },
  };
}

/**
 * The desired object as it is sent, and the whole live object. Our field set lacks the ignored fields. Unlike in
 * `withoutIgnored`, indexes of lists are those of the live object.
 */
export function asSent(desired: DesiredObject, live: LiveObject): ComparedSides {
  if (!desired.ignored) return { desired, live };
  const { parts } = cutObject(desired, live, desired.ignored);
  const { ignored: _, ...rest } = desired;
  return {
    desired: { ...rest, body: objectOr(parts.sent, desired.body) },
    live: { ...live, body: withOwnEntry(live.body, parts.owned ?? newMap()) },
  };
}

/** Digest of the manifest and of its ignored fields: a decision about an object depends on both. */
export function judgedDigest({ digest, ignored }: DesiredObject): string {
  return ignored ? `${digest} ${ignored.digest}` : digest;
}

export interface Sending {
  readonly body: KubeObject;
  /** Keys of a Secret's `data` that are sent with their live value, which only cluster/ knows. */
  readonly liveSecretKeys: readonly string[];
}

/**
 * The body of an apply that leaves the ignored fields of `live` as they are. It carries the uid of `live`, and also the
 * resourceVersion if it holds live values, so that a concurrent change is refused instead of undone.
 */
export function bodyToSend(desired: DesiredObject, live: LiveObject): Sending {
  if (!desired.ignored) return { body: desired.body, liveSecretKeys: [] };
  const { parts, context } = cutObject(desired, live, desired.ignored);
  const body = objectOr(parts.sent, desired.body);
  const metadata: ValueMap = { ...body.metadata, uid: live.uid };
  if (context.isGuarded) metadata['resourceVersion'] = live.resourceVersion;
  return { body: { ...body, metadata }, liveSecretKeys: [...context.secretKeys] };
}

function cutObject(
  { body, kind }: DesiredObject,
  live: LiveObject,
  { paths, pathSet = pathSetOf(paths), managers }: NonNullable<DesiredObject['ignored']>,
): { parts: ReturnType<typeof cutFields>; context: CutContext } {
  const entries = managedFieldsOf(live.body);
  const ours = entries.find(isOurs);
  const others = entries.filter((entry) => entry !== ours);
  const context: CutContext = {
    kind: kind.kind,
    isLenient: BUILT_IN_GROUPS.has(kind.group),
    isSecret: isSecret(body),
    isGuarded: false,
    secretKeys: new Set(),
  };
  const parts = cutFields(context, {
    desired: body,
    live: live.body,
    owned: ours?.fields,
    others: others.map(({ fields }) => fields),
    paths: pathSet,
    ignoredNodes: others.filter(({ manager }) => managers.includes(manager)).map(({ fields }) => fields),
    tokens: [],
    isAtomic: false,
  });
  return { parts, context };
}

function isOurs({
  manager,
  operation,
  subresource,
}: Pick<ManagedFields, 'manager' | 'operation' | 'subresource'>): boolean {
  return manager === FIELD_MANAGER && operation === 'Apply' && !subresource;
}

/** apiVersion, kind and metadata are never cut, so the fallback only satisfies the type. */
function objectOr(value: Value | undefined, fallback: KubeObject): KubeObject {
  return isKubeObject(value) ? value : fallback;
}

function withOwnEntry(body: KubeObject, fieldsV1: ValueMap): KubeObject {
  const managedFields = listAt(body.metadata, 'managedFields').map((entry) => {
    const operation = stringAt(entry, 'operation') ?? '';
    const subresource = stringAt(entry, 'subresource') ?? '';
    const isOwn = isOurs({ manager: stringAt(entry, 'manager') ?? '', operation, subresource });
    return isOwn && isMap(entry) ? { ...entry, fieldsV1 } : entry;
  });
  return { ...body, metadata: { ...body.metadata, managedFields } };
}
