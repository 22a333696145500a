/**
 * Whether a chart may print something else each time. Such a chart is rendered twice, so that the difference is found
 * before anything is applied, also by an agent that has just started.
 *
 * Invariant: a false alarm costs one more run, and nothing else.
 */
import type { ChartFile } from '../render/helm/chart-files.ts';

/** Functions of templates whose result depends on chance or on the time. */
const FUNCTIONS =
  'rand(?:AlphaNum|Alpha|Ascii|Numeric|Int|Bytes)|uuidv4|now|ago|shuffle|htpasswd|bcrypt|encryptAES|' +
  'genPrivateKey|genCA(?:WithKey)?|genSelfSignedCert(?:WithKey)?|genSignedCert(?:WithKey)?';
const VARYING = new RegExp(`\\b(?:${FUNCTIONS})\\b`);

/** Each match begins behind the one before it, so the cost is linear for every text. */
const ACTION = /\{\{[^}]*/g;

/**
 * `texts`: values that are given as texts; a template may execute them by `tpl`. Runs in turns, since a chart may have
 * many megabytes.
 */
export function* mayVary(files: readonly ChartFile[], texts: readonly string[]): Generator<undefined, boolean> {
  for (const text of texts) if (yield* hasVaryingAction(text)) return true;
  for (const { path, bytes } of files) {
    // The templates of a packed dependency cannot be searched.
    if (/^chart\/(?:charts\/[^/]+\/)*charts\/[^/]+\.(?:tgz|tar\.gz)$/.test(path)) return true;
    if (isTemplate(path) && (yield* hasVaryingAction(textOf(bytes)))) return true;
  }
  return false;
}

function isTemplate(path: string): boolean {
  return (/\.(?:tpl|ya?ml|json|txt)$/.test(path) || path.includes('/templates/')) && !path.includes('/crds/');
}

function* hasVaryingAction(text: string): Generator<undefined, boolean> {
  for (const [action] of text.matchAll(ACTION)) {
    if (VARYING.test(action)) return true;
    yield;
  }
  return false;
}

/** The words are ASCII, for which the fastest decoding suffices. */
function textOf({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('latin1');
}
