/**
 * Removes the values of Secrets; no other file does.
 *
 * Invariant: the result of `redactLive` contains no Secret value, only digests of the decoded bytes. The result of
 * `maskValue` contains nothing of its argument but its shape and its keys.
 */
import { digestText } from './digest.ts';
import { isMap, newMap, own, type KubeObject, type Value, type ValueMap } from './value.ts';

/** Replaces every masked value; it does not reveal the length. */
export const MASK = '********';

const DIGEST_PREFIX = 'sha256:';
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

export function isSecret(object: KubeObject): boolean {
  return object.apiVersion === 'v1' && object.kind === 'Secret';
}

/** The digest of one value of `data`: `sha256:<base64url>` of its decoded bytes. A digest is returned unchanged. */
export function digestSecretValue(base64: string): string {
  if (base64.startsWith(DIGEST_PREFIX)) return base64;
  return `${DIGEST_PREFIX}${digestText(Buffer.from(base64, 'base64'))}`;
}

/**
 * A live object without Secret values: the `data` of a Secret becomes digests; `stringData` (which a server never
 * stores) and the last-applied annotation (which holds a whole manifest, Secret values included) are removed. An object
 * with nothing to hide is returned itself. The argument is never changed.
 */
export function redactLive(object: KubeObject): KubeObject {
  const annotations = own(object.metadata, 'annotations');
  const hasLastApplied = isMap(annotations) && Object.hasOwn(annotations, LAST_APPLIED);
  if (!hasLastApplied && !isSecret(object)) return object;
  const redacted: KubeObject = { ...object };
  if (hasLastApplied) {
    const kept = { ...annotations };
    delete kept[LAST_APPLIED];
    redacted.metadata = { ...object.metadata, annotations: kept };
  }
  if (isSecret(object)) {
    delete redacted['stringData'];
    const data = own(object, 'data');
    if (isMap(data)) redacted['data'] = digestData(data);
  }
  return redacted;
}

/** Whether the value at a path (reference tokens from the root) of this object must never be shown. */
export function isSensitivePath(object: KubeObject, tokens: readonly string[]): boolean {
  if (tokens[0] === 'metadata' && tokens[1] === 'annotations') return tokens[2] === LAST_APPLIED;
  return isSecret(object) && (tokens[0] === 'data' || tokens[0] === 'stringData');
}

/** The value with every scalar masked. Map keys stay: the names of the entries of a Secret are not secret. */
export function maskValue(value: Value): Value {
  if (Array.isArray(value)) return value.map(maskValue);
  if (!isMap(value)) return MASK;
  return newMap(Object.keys(value).map((key) => [key, maskValue(value[key] ?? null)] as const));
}

function digestData(data: ValueMap): ValueMap {
  const digests = newMap();
  for (const key of Object.keys(data)) {
    const value = data[key];
    digests[key] = digestSecretValue(typeof value === 'string' ? value : '');
  }
  return digests;
}
