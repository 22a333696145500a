/**
 * The one place where values of Secrets are taken out of sight.
 *
 * Invariant: what `redactLive` returns holds no Secret value, only digests of the decoded bytes; what `maskValue`
 * returns holds nothing of its argument but its shape.
 */
import { digestText } from './digest.ts';
import { isMap, newMap, own, type KubeObject, type Value, type ValueMap } from './value.ts';

/** Stands for every masked value, whatever its length. */
export const MASK = '********';

const DIGEST_PREFIX = 'sha256:';
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

export function isSecret(object: KubeObject): boolean {
  return object.apiVersion === 'v1' && object.kind === 'Secret';
}

/** `sha256:<base64url of the digest of the decoded bytes>` of one value of `data`; a digest is returned as it is. */
export function digestSecretValue(base64: string): string {
  if (base64.startsWith(DIGEST_PREFIX)) return base64;
  return `${DIGEST_PREFIX}${digestText(Buffer.from(base64, 'base64'))}`;
}

/**
 * A live object fit to be kept: `data` of a Secret as digests, `stringData` (never stored by a server) and the
 * last-applied annotation (which holds a whole manifest, Secret values included) removed. Returns the same object where
 * nothing is to be hidden; never writes to its argument.
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

/** Whether the value at a path (reference tokens from the root) of this object may be shown to nobody. */
export function isSensitivePath(object: KubeObject, tokens: readonly string[]): boolean {
  if (tokens[0] === 'metadata' && tokens[1] === 'annotations') return tokens[2] === LAST_APPLIED;
  return isSecret(object) && (tokens[0] === 'data' || tokens[0] === 'stringData');
}

/** The shape of a value with every scalar masked; map keys stay, since the names of Secret entries are no secret. */
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
