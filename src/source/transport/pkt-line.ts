/**
 * Git's packet lines (gitprotocol-common): a length in four hex digits that counts itself, then the payload; 0000 is a
 * flush, 0001 a delimiter, 0002 the end of a response.
 */

export type Packet = Buffer | 'flush' | 'delimiter' | 'end';

export const FLUSH = '0000';
export const DELIMITER = '0001';
/** For one packet, its length included. */
const MAX_PACKET_BYTES = 65_520;

export function encodeLine(text: string): string {
  return `${(Buffer.byteLength(text) + 4).toString(16).padStart(4, '0')}${text}`;
}

/** The length that four bytes announce; undefined if they are not a valid length. */
export function packetLength(bytes: Uint8Array, at: number): number | undefined {
  let length = 0;
  for (let index = at; index < at + 4; index++) {
    const digit = hexDigit(bytes[index]);
    if (digit < 0) return undefined;
    length = length * 16 + digit;
  }
  return length === 3 || length > MAX_PACKET_BYTES ? undefined : length;
}

/**
 * The packets of a complete body; undefined if it is cut off or does not consist of packets. Stops after one packet
 * more than `maxPackets`.
 */
export function splitPackets(body: Buffer, maxPackets: number): Packet[] | undefined {
  const packets: Packet[] = [];
  let at = 0;
  while (at < body.length && packets.length <= maxPackets) {
    const length = at + 4 <= body.length ? packetLength(body, at) : undefined;
    if (length === undefined) return undefined;
    if (length < 4) {
      packets.push(length === 0 ? 'flush' : length === 1 ? 'delimiter' : 'end');
      at += 4;
      continue;
    }
    if (at + length > body.length) return undefined;
    packets.push(body.subarray(at + 4, at + length));
    at += length;
  }
  return packets;
}

/** A packet as text, without the newline that ends it. */
export function lineText(packet: Buffer): string {
  const end = packet.length > 0 && packet[packet.length - 1] === 0x0a ? packet.length - 1 : packet.length;
  return packet.toString('utf8', 0, end);
}

function hexDigit(byte: number | undefined): number {
  if (byte === undefined) return -1;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
