/**
 * Reads the two answers that hold references: the advertisement (gitprotocol-http) and that of ls-refs
 * (gitprotocol-v2).
 *
 * Invariant: a body that does not end with its last flush is refused. It was cut, and a cut list of references looks
 * like a shorter one.
 */
import { cleanText } from '../../object/printable.ts';
import { sourceError } from '../../object/source-error.ts';
import { malformed, remoteError, truncated } from './answer-error.ts';
import { lineText, splitPackets, type Packet } from './pkt-line.ts';
import type { RemoteRef, RemoteRefs } from '../revision.ts';

export type Advertisement =
  | { readonly protocol: 2; /** Value by name, '' if it has none. */ readonly features: ReadonlyMap<string, string> }
  | { readonly protocol: 0; readonly capabilities: readonly string[]; readonly refs: RemoteRefs };

const OID = /^[0-9a-f]{40}$/;
const NO_REFS = 'capabilities^{}';
/** Lines of a few bytes take many times their size in memory; without this bound they could fill the heap. */
const MAX_LINES = 300_000;

/** Throws StageError TruncatedAnswer, MalformedAnswer, TooLarge, RemoteError, UnsupportedObjectFormat. */
export function readAdvertisement(body: Buffer, label: string): Advertisement {
  const packets = wholePackets(body, label);
  const first = packets[0];
  if (!Buffer.isBuffer(first)) throw malformed(label);
  const hasService = lineText(first) === '# service=git-upload-pack';
  if (hasService && (packets[1] !== 'flush' || packets.length < 3)) throw truncated(label);
  const lines = bodyLines(packets.slice(hasService ? 2 : 0), label);
  const version = lines[0] === undefined ? '' : lineText(lines[0]);
  if (version === 'version 2') return { protocol: 2, features: readFeatures(lines.slice(1), label) };
  if (!hasService) throw malformed(label);
  return readReferences(version === 'version 1' ? lines.slice(1) : lines, label);
}

/** Throws StageError TruncatedAnswer, MalformedAnswer, TooLarge, RemoteError. */
export function readLsRefs(body: Buffer, label: string): RemoteRefs {
  const refs = new Map<string, RemoteRef>();
  for (const line of bodyLines(wholePackets(body, label), label)) {
    const [oid = '', name = '', ...attributes] = lineText(line).split(' ');
    if (!OID.test(oid) || !name) throw malformed(label);
    const peeled = attributeOf(attributes, 'peeled:');
    const target = attributeOf(attributes, 'symref-target:');
    if (peeled !== undefined && !OID.test(peeled)) throw malformed(label);
    refs.set(name, { oid, ...(peeled && { peeled }), ...(target && { target }) });
  }
  return refs;
}

function wholePackets(body: Buffer, label: string): Packet[] {
  const packets = splitPackets(body, MAX_LINES);
  if (packets && packets.length > MAX_LINES) {
    throw sourceError('TooLarge', `${label} announces more than ${MAX_LINES} references. Delete some.`);
  }
  const first = packets?.[0];
  if (Buffer.isBuffer(first) && first.subarray(0, 4).toString('latin1') === 'ERR ') {
    throw remoteError(label, lineText(first).slice(4));
  }
  if (packets === undefined || packets.at(-1) !== 'flush') throw truncated(label);
  return packets;
}

/** The lines before the only flush, which must be the last packet. */
function bodyLines(packets: readonly Packet[], label: string): Buffer[] {
  if (packets.at(-1) !== 'flush') throw truncated(label);
  return packets.slice(0, -1).map((packet) => {
    if (!Buffer.isBuffer(packet)) throw malformed(label);
    if (packet.subarray(0, 4).toString('latin1') === 'ERR ') throw remoteError(label, lineText(packet).slice(4));
    return packet;
  });
}

function readFeatures(lines: readonly Buffer[], label: string): ReadonlyMap<string, string> {
  const features = new Map<string, string>();
  for (const line of lines) {
    const text = lineText(line);
    const equals = text.indexOf('=');
    features.set(equals < 0 ? text : text.slice(0, equals), equals < 0 ? '' : text.slice(equals + 1));
  }
  checkObjectFormat(features.get('object-format'), label);
  return features;
}

function readReferences(lines: readonly Buffer[], label: string): Advertisement {
  const refs = new Map<string, RemoteRef>();
  let capabilities: string[] = [];
  for (const [index, line] of lines.entries()) {
    const [text = '', listed] = lineText(line).split('\0');
    if (index === 0) capabilities = (listed ?? '').split(' ').filter(Boolean);
    if (index === 0) checkObjectFormat(capabilityValue(capabilities, 'object-format'), label);
    const space = text.indexOf(' ');
    const [oid, name] = [text.slice(0, space), text.slice(space + 1)];
    if (text.startsWith('shallow ')) continue;
    if (!OID.test(oid) || !name) throw malformed(label);
    if (name === NO_REFS) continue;
    const base = name.endsWith('^{}') ? refs.get(name.slice(0, -3)) : undefined;
    if (base) refs.set(name.slice(0, -3), { ...base, peeled: oid });
    else refs.set(name, { oid });
  }
  for (const capability of capabilities) {
    const [, from = '', target = ''] = /^symref=([^:]+):(.+)$/.exec(capability) ?? [];
    const ref = refs.get(from);
    if (ref) refs.set(from, { ...ref, target });
  }
  return { protocol: 0, capabilities, refs };
}

function checkObjectFormat(format: string | undefined, label: string): void {
  if (format === undefined || format === 'sha1') return;
  throw sourceError(
    'UnsupportedObjectFormat',
    `${label} uses the object format ${cleanText(format, 20)}. Only repositories of the format sha1 are supported.`,
  );
}

function capabilityValue(capabilities: readonly string[], name: string): string | undefined {
  return capabilities.find((item) => item.startsWith(`${name}=`))?.slice(name.length + 1);
}

function attributeOf(attributes: readonly string[], prefix: string): string | undefined {
  return attributes.find((item) => item.startsWith(prefix))?.slice(prefix.length);
}
