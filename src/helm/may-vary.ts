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
const VARYING = new RegExp(`\\{\\{[^}]*?\\b(?:${FUNCTIONS})\\b`);

/** `texts`: values that are given as texts; a template may execute them by `tpl`. */
export function mayVary(files: readonly ChartFile[], texts: readonly string[]): boolean {
  return texts.some((text) => VARYING.test(text)) || files.some(fileMayVary);
}

function fileMayVary({ path, bytes }: ChartFile): boolean {
  // The templates of a packed dependency cannot be searched.
  if (/^chart\/(?:charts\/[^/]+\/)*charts\/[^/]+\.(?:tgz|tar\.gz)$/.test(path)) return true;
  const isRead = /\.(?:tpl|ya?ml|json|txt)$/.test(path) || path.includes('/templates/');
  return isRead && !path.includes('/crds/') && VARYING.test(Buffer.from(bytes).toString('utf8'));
}
