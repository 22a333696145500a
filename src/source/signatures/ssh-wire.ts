/**
 * Reads the data types of SSH (RFC 4251, section 5). A reader that runs past its end answers undefined from then on.
 */

export interface WireReader {
  /** 4 bytes of length, then so many bytes. */
  string(): Buffer | undefined;
  text(): string | undefined;
  /** Without the leading zero. undefined: it is negative, or could be written shorter. */
  mpint(): Buffer | undefined;
  uint32(): number | undefined;
  bytes(count: number): Buffer | undefined;
  /** Whether every byte was read, and no read failed. */
  isAtEnd(): boolean;
}

export function readWire(data: Buffer): WireReader {
  let at = 0;
  let hasFailed = false;

  function bytes(count: number): Buffer | undefined {
    if (hasFailed || count > data.length - at) {
      hasFailed = true;
      return undefined;
    }
    at += count;
    return data.subarray(at - count, at);
  }

  function uint32(): number | undefined {
    return bytes(4)?.readUInt32BE(0);
  }

  function string(): Buffer | undefined {
    const length = uint32();
    return length === undefined ? undefined : bytes(length);
  }

  function mpint(): Buffer | undefined {
    const number = string();
    const [first = 0, second = 0] = number ?? [];
    const isLong = number !== undefined && number.length > 0 && first === 0 && (number.length === 1 || second < 0x80);
    if (number === undefined || first >= 0x80 || isLong) {
      hasFailed = true;
      return undefined;
    }
    return first === 0 ? number.subarray(1) : number;
  }

  return {
    bytes,
    uint32,
    string,
    mpint,
    text: () => string()?.toString('latin1'),
    isAtEnd: () => !hasFailed && at === data.length,
  };
}

/** A string of SSH: 4 bytes of length, then the bytes. */
export function wireString(data: Buffer | string): Buffer {
  const bytes = Buffer.from(data as string);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
