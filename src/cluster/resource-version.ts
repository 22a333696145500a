/** The order of resourceVersions. */

/**
 * Compares two resourceVersions of one kind: -1, 0 or 1; undefined if one of them is not a decimal number. Every known
 * API server uses decimal numbers, and since Kubernetes 1.35 it promises that they can be compared as such.
 */
export function compareResourceVersions(a: string, b: string): -1 | 0 | 1 | undefined {
  if (!/^\d+$/.test(a) || !/^\d+$/.test(b)) return undefined;
  const difference = BigInt(a) - BigInt(b);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}
