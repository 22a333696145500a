/**
 * Verifies the provenance file of a Helm chart (`helm package --sign`): a clear-signed text of OpenPGP with the
 * Chart.yaml and the SHA-256 of the archive.
 *
 * Invariants: nothing of the text is read before its signature is verified, and nothing but the signed text counts. The
 * signature is about this archive, this chart and this version, or the chart is refused.
 */
import { isYamlMap, textOf, type YamlMap } from '../../object/yaml/node.ts';
import { readYaml } from '../../object/yaml/read.ts';
import type { ChartVerification } from './chart-verification.ts';
import { boundedName, explained } from './explain-refusal.ts';
import { PGP_BEGIN, verifyOpenPgp } from './openpgp-signature.ts';
import { altered, SignatureRefusal, unsupported } from './refusal.ts';
import type { Signer } from './ssh-signature.ts';
import { joinTrust } from './trust-list.ts';

export interface SignedChart {
  /** The provenance file. */
  readonly provenance: string;
  /** `sha256:` and 64 hex digits of the archive. */
  readonly archiveDigest: string;
  /** The Chart.yaml of the archive. */
  readonly chartYaml: string;
  readonly asked: AskedChart;
}

/** The chart that the source asks for. */
export interface AskedChart {
  readonly name: string;
  /** undefined: a digest or tag that names no version. */
  readonly version: string | undefined;
}

export interface ProvenanceOptions {
  readonly verification: ChartVerification;
  /** Names the repository in messages. */
  readonly label: string;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
}

/** Rejects with StageErrors; see `SignatureCode`. */
export function verifyProvenance(chart: SignedChart, options: ProvenanceOptions): Promise<Signer> {
  return explained(subjectOf(chart.asked), options, async () => {
    const { text, signature } = splitClearSigned(chart.provenance);
    const { openPgp: keys } = joinTrust(options.verification.keys);
    const payload = Buffer.from(text.replaceAll('\n', '\r\n'));
    const signer = await verifyOpenPgp({ payload, signature, type: 'text', keys, nowMs: options.nowMs });
    checkSubject(text, chart);
    return { ...signer, name: boundedName(signer.name) };
  });
}

/** The chart in messages; ` of ` and the repository follow. */
export function subjectOf({ version }: AskedChart): string {
  return version === undefined ? 'The archive' : `Version ${boundedName(version)}`;
}

/** Its repository or registry has no provenance file for the chart. */
export function withoutProvenance(): SignatureRefusal {
  return new SignatureRefusal(
    'NotSigned',
    'has no provenance file. Sign it with helm package --sign, and publish the .prov file with it.',
  );
}

const BEGIN = '-----BEGIN PGP SIGNED MESSAGE-----';
const HASH_HEADER = /^Hash: [A-Za-z0-9-]+(?:, ?[A-Za-z0-9-]+)*$/;

interface ClearSigned {
  /** The signed text with line ends of LF, without blanks at the ends of lines, as its signature covers it. */
  readonly text: string;
  /** Armored. */
  readonly signature: string;
}

/** RFC 9580, section 7. Nothing may stand before or behind the message. Throws SignatureRefusal. */
function splitClearSigned(file: string): ClearSigned {
  const lines = file.replaceAll('\r\n', '\n').trimEnd().split('\n');
  if (lines[0] !== BEGIN) throw unsupported('is no clear-signed text of OpenPGP', SIGN);
  const empty = lines.indexOf('');
  const end = lines.indexOf(PGP_BEGIN);
  if (empty < 0 || end < empty || !lines.slice(1, empty).every((line) => HASH_HEADER.test(line))) throw altered();
  const text = lines.slice(empty + 1, end).map((line) => {
    if (line.startsWith('-') && !line.startsWith('- ')) throw altered();
    return line.replace(/^- /, '').replace(/[ \t\r]+$/, '');
  });
  return { text: text.join('\n'), signature: lines.slice(end).join('\n') };
}

const SIGN = 'Sign the chart with helm package --sign.';
/** The line between the Chart.yaml and the list of files. */
const SEPARATOR = '\n...\n';

interface ChartIdentity {
  readonly name: string;
  readonly version: string;
}

function checkSubject(text: string, { archiveDigest, chartYaml, asked }: SignedChart): void {
  const parts = text.split(SEPARATOR);
  const signed = identityIn(parts[0] ?? '');
  const files = rootOf(parts[1] ?? '')?.get('files');
  if (parts.length !== 2 || !signed || !isYamlMap(files)) {
    throw unsupported('is about another text than that of helm package --sign', SIGN);
  }
  const own = identityIn(chartYaml);
  if (own?.name !== signed.name || own.version !== signed.version) {
    throw new SignatureRefusal(
      'SignatureRefused',
      `has the provenance file of the chart ${shown(signed)}, and its own Chart.yaml names ${own ? shown(own) : 'no chart'}. Publish the provenance file that was made with it.`,
    );
  }
  const file = `${signed.name}-${signed.version}.tgz`;
  const digest = textOf(files.get(file));
  if (digest === '') {
    throw new SignatureRefusal(
      'SignatureRefused',
      `has a provenance file that does not name ${boundedName(file)}. Publish the provenance file that was made with it.`,
    );
  }
  if (digest !== archiveDigest) {
    throw new SignatureRefusal(
      'DigestMismatch',
      `is another archive than the one that was signed as ${shown(signed)}. Find out who published it, and sign it again.`,
    );
  }
  if (signed.name !== asked.name || (asked.version !== undefined && bare(signed.version) !== bare(asked.version))) {
    throw new SignatureRefusal(
      'TagReplayed',
      `is the signed chart ${shown(signed)} under another name or version. Find out who published it, and sign a version of its own.`,
    );
  }
}

function shown({ name, version }: ChartIdentity): string {
  return boundedName(`${name} ${version}`);
}

/** Helm takes `1.2.3` and `v1.2.3` for the same version. */
function bare(version: string): string {
  return version.replace(/^v/, '');
}

const MAX_NODES = 100_000;
const MAX_DEPTH = 64;

/** undefined: it names no chart and version. */
function identityIn(chartYaml: string): ChartIdentity | undefined {
  const root = rootOf(chartYaml);
  const [name, version] = [textOf(root?.get('name')), textOf(root?.get('version'))];
  return name === '' || version === '' ? undefined : { name, version };
}

function rootOf(text: string): YamlMap | undefined {
  const read = readYaml(text, { maxNodes: MAX_NODES, maxDepth: MAX_DEPTH });
  const root = read.ok ? read.documents[0]?.root : undefined;
  return isYamlMap(root) ? root : undefined;
}
