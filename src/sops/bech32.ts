/** Bech32 (BIP 173) without its bound on length, the encoding of the keys of age. */

const CHARSET = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const GENERATORS = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3] as const;
const CHECKSUM_CHARS = 6;

/** `prefix` is in lower case. */
export function encodeBech32(prefix: string, bytes: Uint8Array): string {
  const data = regroup(bytes, 8, 5) ?? [];
  const checksum = polymod([...expand(prefix), ...data, ...Array.from({ length: CHECKSUM_CHARS }, () => 0)]) ^ 1;
  const tail = Array.from({ length: CHECKSUM_CHARS }, (_, index) => (checksum >> (5 * (5 - index))) & 31);
  return `${prefix}1${[...data, ...tail].map((value) => CHARSET[value]).join('')}`;
}

/** The bytes behind the prefix. `text` is in one case. undefined: it is not Bech32, or has another prefix. */
export function decodeBech32(prefix: string, text: string): Uint8Array | undefined {
  const lower = text.toLowerCase();
  if (text !== lower && text !== text.toUpperCase()) return undefined;
  if (!lower.startsWith(`${prefix}1`)) return undefined;
  const values = Array.from(lower.slice(prefix.length + 1), (char) => CHARSET.indexOf(char));
  if (values.length < CHECKSUM_CHARS || values.includes(-1)) return undefined;
  if (polymod([...expand(prefix), ...values]) !== 1) return undefined;
  const bytes = regroup(values.slice(0, -CHECKSUM_CHARS), 5, 8);
  return bytes && Uint8Array.from(bytes);
}

function expand(prefix: string): number[] {
  const codes = Array.from(prefix, (char) => char.charCodeAt(0));
  return [...codes.map((code) => code >> 5), 0, ...codes.map((code) => code & 31)];
}

function polymod(values: readonly number[]): number {
  let checksum = 1;
  for (const value of values) {
    const top = checksum >> 25;
    checksum = ((checksum & 0x1ffffff) << 5) ^ value;
    for (const [index, generator] of GENERATORS.entries()) if ((top >> index) & 1) checksum ^= generator;
  }
  return checksum;
}

/** Groups of `from` bits as groups of `to` bits. undefined: the rest is no padding. */
function regroup(values: Iterable<number>, from: number, to: number): number[] | undefined {
  const groups: number[] = [];
  let [held, bits] = [0, 0];
  for (const value of values) {
    held = ((held << from) | value) & 0xfff;
    bits += from;
    while (bits >= to) {
      bits -= to;
      groups.push((held >> bits) & ((1 << to) - 1));
    }
  }
  if (to > from) return bits < from && ((held << (to - bits)) & ((1 << to) - 1)) === 0 ? groups : undefined;
  if (bits > 0) groups.push((held << (to - bits)) & ((1 << to) - 1));
  return groups;
}
