/**
 * A fetch of protocol 0, as the callers of a transport write it, in the words of protocol 2 (gitprotocol-v2). Over SSH
 * a server of protocol 0 sends all its references first, and refuses commits that no reference names.
 */
import { malformed } from '../answer-error.ts';
import { DELIMITER, encodeLine, FLUSH, lineText, packetLength, splitPackets } from '../pkt-line.ts';

const MAX_REQUEST_PACKETS = 10_000;

/** Throws StageError MalformedAnswer for a request that is not one, which is a defect of the caller. */
export function toProtocol2(request: Buffer, { mustNameFormat }: { readonly mustNameFormat: boolean }): Buffer {
  const packets = splitPackets(request, MAX_REQUEST_PACKETS);
  const lines = (packets ?? []).filter((packet) => Buffer.isBuffer(packet)).map((packet) => lineText(packet));
  const capabilities = lines[0]?.split(' ').slice(2) ?? [];
  if (!lines[0]?.startsWith('want ')) throw malformed('the request');
  const asked = lines.map((line, index) => (index === 0 ? line.split(' ').slice(0, 2).join(' ') : line));
  const options = ['thin-pack', 'no-progress', 'ofs-delta'].filter((name) => capabilities.includes(name));
  return Buffer.from(
    [
      encodeLine('command=fetch\n'),
      mustNameFormat ? encodeLine('object-format=sha1\n') : '',
      DELIMITER,
      ...[...options, ...asked.filter((line) => line !== '')].map((line) => encodeLine(`${line}\n`)),
      FLUSH,
    ].join(''),
  );
}

export interface AnswerTranslator {
  /** The answer in the words of protocol 0, as far as it has come. Throws StageError MalformedAnswer. */
  push(chunk: Buffer): Buffer[];
  /** Whether the last packet of the answer has come. */
  isComplete(): boolean;
}

const SECTION_HEADERS = ['acknowledgments', 'shallow-info', 'packfile'];
const NAK = Buffer.from(encodeLine('NAK\n'));
/** Packets before the pack are a line each. */
const MAX_LINE_BYTES = 1024;

/** The packets of the pack pass through without being looked at, but for their length. */
export function createAnswerTranslator(label: string): AnswerTranslator {
  let pending: Buffer = Buffer.alloc(0);
  let passRemaining = 0;
  let isInPack = false;
  let isComplete = false;

  function takeLine(payload: Buffer): Buffer[] {
    const text = lineText(payload);
    if (text.startsWith('ERR ') || text.startsWith('shallow ')) return [Buffer.from(encodeLine(`${text}\n`))];
    if (text === 'packfile') {
      isInPack = true;
      return [Buffer.from(FLUSH), NAK];
    }
    // Acknowledgements say what the thin pack builds on, and `unshallow` concerns no fetch of one commit.
    if (SECTION_HEADERS.includes(text) || /^(ACK|NAK|ready|unshallow)\b/.test(text)) return [];
    throw malformed(label);
  }

  /** Takes the packet at `at`; the position after it, or undefined if bytes lack. */
  function step(at: number, out: Buffer[]): number | undefined {
    if (pending.length - at < 4) return undefined;
    const length = packetLength(pending, at);
    if (length === undefined || isComplete) throw malformed(label);
    if (length < 4) {
      if (length === 0) {
        isComplete = true;
        out.push(Buffer.from(FLUSH));
      }
      return at + 4;
    }
    if (isInPack) {
      passRemaining = length;
      return at;
    }
    if (length > MAX_LINE_BYTES) throw malformed(label);
    if (pending.length - at < length) return undefined;
    out.push(...takeLine(pending.subarray(at + 4, at + length)));
    return at + length;
  }

  return {
    isComplete: () => isComplete,
    push(chunk) {
      const out: Buffer[] = [];
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      let at = 0;
      while (at < pending.length) {
        if (passRemaining > 0) {
          const piece = pending.subarray(at, at + passRemaining);
          out.push(piece);
          passRemaining -= piece.length;
          at += piece.length;
          continue;
        }
        const next = step(at, out);
        if (next === undefined) break;
        at = next;
      }
      pending = pending.subarray(at);
      return out;
    },
  };
}
