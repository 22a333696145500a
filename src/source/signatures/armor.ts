/**
 * Reads the armor of signatures.
 *
 * Invariant: base64 that could be written in another way, or does not match its checksum, is refused. So no byte of a
 * signature can be altered unnoticed, and no reader takes it for another one.
 */
import { altered } from './refusal.ts';

/** RFC 9580, section 6: armor headers, an empty line, base64 and a checksum. Throws SignatureRefusal. */
export function unarmorOpenPgp(armored: string, { begin, end }: Armor): Buffer {
  const lines = linesWithin(armored, { begin, end });
  const empty = lines.indexOf('');
  if (empty < 0 || !lines.slice(0, empty).every((line) => HEADER.test(line))) throw altered();
  const body = lines.slice(empty + 1);
  const checksum = body.at(-1)?.startsWith('=') ? body.pop()?.slice(1) : undefined;
  const bytes = decode(body.join(''));
  if (checksum !== undefined && crc24(bytes) !== decode(checksum).toString('hex')) throw altered();
  return bytes;
}

/** Base64 alone. Throws SignatureRefusal. */
export function unarmorSsh(armored: string, armor: Armor): Buffer {
  return decode(linesWithin(armored, armor).join(''));
}

interface Armor {
  readonly begin: string;
  readonly end: string;
}

/** The longest signatures, those of RSA with 16,384 bits, take less than 8 KiB. */
const MAX_ARMOR_CHARS = 32_768;
const HEADER = /^[A-Za-z][A-Za-z0-9-]*: [\x20-\x7e]*$/;

function linesWithin(armored: string, { begin, end }: Armor): string[] {
  const lines = armored.length > MAX_ARMOR_CHARS ? [] : armored.split('\n');
  if (lines.length < 3 || lines[0] !== begin || lines.at(-1) !== end) throw altered();
  return lines.slice(1, -1);
}

function decode(encoded: string): Buffer {
  const bytes = Buffer.from(encoded, 'base64');
  if (bytes.toString('base64') !== encoded) throw altered();
  return bytes;
}

const CRC_START = 0xb704ce;
const CRC_POLYNOMIAL = 0x1864cfb;

/** 6 hex digits. */
function crc24(bytes: Buffer): string {
  let crc = CRC_START;
  for (const byte of bytes) {
    crc ^= byte << 16;
    for (let bit = 0; bit < 8; bit++) {
      crc <<= 1;
      if ((crc & 0x1000000) !== 0) crc ^= CRC_POLYNOMIAL;
    }
  }
  return (crc & 0xffffff).toString(16).padStart(6, '0');
}
