/**
 * Checks the answer of a fetch while it streams by (gitprotocol-pack: shallow section, acknowledgements, side-band).
 * The pack is passed on as it comes; the few other packets are kept.
 *
 * Invariant: `finish` succeeds only if the answer ended on its flush, the pack was announced as one and its SHA-1 is
 * the one in its last 20 bytes. So an answer that was cut anywhere fails.
 */
import { createHash, type Hash } from 'node:crypto';
import { cleanText } from '../../object/printable.ts';
import { sourceError } from '../../object/source-error.ts';
import type { SourceLimits } from '../limits.ts';
import { malformed, remoteError, truncated } from './answer-error.ts';
import { FLUSH, lineText, packetLength } from './pkt-line.ts';

export interface CheckedAnswer {
  /** All packets outside the side-band, as they came, for isomorphic-git to read. */
  readonly preamble: Buffer;
  readonly packBytes: number;
  /** 20 bytes in hex: the SHA-1 that the pack ends with. */
  readonly checksum: string;
}

export interface AnswerChecker {
  /** The pieces of the pack within a chunk, to be written in order. Throws StageError. */
  push(chunk: Buffer): Buffer[];
  /** Throws StageError if the answer was not complete. */
  finish(): CheckedAnswer;
}

export interface AnswerCheckerOptions {
  readonly limits: Pick<SourceLimits, 'maxPackBytes' | 'maxPackObjects'>;
  readonly label: string;
  /** For the message if the server does not know it. */
  readonly commit: string;
}

const BAND_PACK = 1;
const BAND_PROGRESS = 2;
const BAND_ERROR = 3;

export function createAnswerChecker(options: AnswerCheckerOptions): AnswerChecker {
  const pack = createPackCheck(options);
  const order = createPacketOrder(options);
  /** The beginning of a packet that has not come completely. */
  let pending: Buffer = Buffer.alloc(0);
  /** Bytes of the present packet of band 1 that are still to come; they are passed on without waiting for its end. */
  let packRemaining = 0;

  /** Takes one packet, or the header of one of band 1, at `at`; the position after it, or undefined if bytes lack. */
  function step(at: number): number | undefined {
    if (pending.length - at < 4) return undefined;
    const length = packetLength(pending, at);
    if (length === undefined || (length > 0 && length < 5) || order.hasEnded()) throw malformed(options.label);
    if (length === 0) {
      order.takeFlush();
      return at + 4;
    }
    if (pending.length - at < 5) return undefined;
    if (pending[at + 4] === BAND_PACK) {
      order.beginBand();
      packRemaining = length - 5;
      return at + 5;
    }
    if (pending.length - at < length) return undefined;
    order.takePacket(pending.subarray(at + 4, at + length));
    return at + length;
  }

  function push(chunk: Buffer): Buffer[] {
    const pieces: Buffer[] = [];
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    let at = 0;
    while (at < pending.length) {
      if (packRemaining > 0) {
        const piece = pending.subarray(at, at + packRemaining);
        pack.take(piece);
        pieces.push(piece);
        packRemaining -= piece.length;
        at += piece.length;
        continue;
      }
      const next = step(at);
      if (next === undefined) break;
      at = next;
    }
    pending = pending.subarray(at);
    return pieces;
  }

  function finish(): CheckedAnswer {
    if (pending.length > 0 || packRemaining > 0 || !order.hasEnded()) throw truncated(options.label);
    return { preamble: order.preamble(), ...pack.finish() };
  }
  return { push, finish };
}

const MAX_PREAMBLE_BYTES = 262_144;

/** Holds the packets to their order: first the preamble, then the side-band, then one flush. Keeps the preamble. */
function createPacketOrder(options: AnswerCheckerOptions) {
  const preamble: Buffer[] = [];
  let preambleBytes = 0;
  let flushes = 0;
  let hasBand = false;
  let hasEnded = false;
  return {
    /** A packet of any band but that of the pack, or of none. */
    takePacket(payload: Buffer): void {
      const band = payload[0];
      if (band === BAND_ERROR) throw refused(options, payload.subarray(1).toString('utf8'));
      if (band === BAND_PROGRESS) {
        hasBand = true;
        return;
      }
      const text = lineText(payload);
      if (text.startsWith('ERR ')) throw refused(options, text.slice(4));
      if (hasBand) throw malformed(options.label);
      preambleBytes += payload.length + 4;
      if (preambleBytes > MAX_PREAMBLE_BYTES) throw malformed(options.label);
      preamble.push(Buffer.from((payload.length + 4).toString(16).padStart(4, '0')), payload);
    },
    takeFlush(): void {
      if (hasBand) hasEnded = true;
      else preamble.push(Buffer.from(FLUSH));
      if (++flushes > 2) throw malformed(options.label);
    },
    beginBand: () => void (hasBand = true),
    hasEnded: () => hasEnded,
    preamble: () => Buffer.concat(preamble),
  };
}

const HEADER_BYTES = 12;
const CHECKSUM_BYTES = 20;

/** Hashes all but the last 20 bytes, which are the hash. */
function createPackCheck({ limits, label }: AnswerCheckerOptions) {
  const hash: Hash = createHash('sha1');
  let packBytes = 0;
  let header: Buffer = Buffer.alloc(0);
  let tail: Buffer = Buffer.alloc(0);
  return {
    take(piece: Buffer): void {
      packBytes += piece.length;
      if (packBytes > limits.maxPackBytes) {
        throw sourceError(
          'TooLarge',
          `The pack of ${label} exceeds ${limits.maxPackBytes} bytes (maxPackBytes). Make the repository smaller, or raise the bound.`,
        );
      }
      if (header.length < HEADER_BYTES) header = Buffer.concat([header, piece]).subarray(0, HEADER_BYTES);
      if (piece.length >= CHECKSUM_BYTES) {
        hash.update(tail).update(piece.subarray(0, -CHECKSUM_BYTES));
        tail = Buffer.from(piece.subarray(-CHECKSUM_BYTES));
        return;
      }
      const joined = Buffer.concat([tail, piece]);
      const excess = Math.max(0, joined.length - CHECKSUM_BYTES);
      hash.update(joined.subarray(0, excess));
      tail = joined.subarray(excess);
    },
    finish(): Pick<CheckedAnswer, 'packBytes' | 'checksum'> {
      if (packBytes < HEADER_BYTES + CHECKSUM_BYTES) throw truncated(label);
      if (header.toString('latin1', 0, 4) !== 'PACK' || header.readUInt32BE(4) !== 2) throw malformed(label);
      if (!hash.digest().equals(tail)) throw truncated(label);
      const objectCount = header.readUInt32BE(8);
      if (objectCount > limits.maxPackObjects) {
        throw sourceError(
          'TooLarge',
          `The pack of ${label} holds ${objectCount} objects, more than ${limits.maxPackObjects} (maxPackObjects).`,
        );
      }
      return { packBytes, checksum: tail.toString('hex') };
    },
  };
}

function refused({ label, commit }: AnswerCheckerOptions, reason: string): Error {
  if (!reason.includes('not our ref')) return remoteError(label, reason);
  return sourceError(
    'RevisionNotFound',
    `${label} has no commit ${cleanText(commit, 40)}, or no branch leads to it any more. Check spec.source.revision.`,
  );
}
