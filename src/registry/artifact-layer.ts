/**
 * Finds in the manifest of an artifact the one layer that holds its files: as `flux push artifact`, `oras push` and
 * `helm push` lay it out.
 */
import { cleanText } from '../object/printable.ts';
import { sourceError } from '../object/source-error.ts';
import type { RegistryLimits } from './limits.ts';
import { malformedAnswer } from './registry-error.ts';
import { DIGEST, MANIFEST_TYPES, type Descriptor, type FoundManifest } from './registry-client.ts';

export interface ArtifactManifest {
  readonly mediaType: string;
  readonly layers: readonly Descriptor[];
  readonly annotations: Readonly<Record<string, string>>;
}

export interface ArtifactContent {
  readonly layer: Descriptor;
  /** Whether the archive has one folder at its top that is not part of the content. */
  readonly isChart: boolean;
}

export const CHART_TYPE = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip';
/** The provenance file of the chart, which helm push adds as a layer. */
export const PROVENANCE_TYPE = 'application/vnd.cncf.helm.chart.provenance.v1.prov';

/** Archives by the end of their media type, such as `application/vnd.cncf.flux.content.v1.tar+gzip`. */
const ARCHIVE_TYPE = /[.+](?:tar|tar\+gzip|tar\.gzip)$/;

/** Throws StageError MalformedAnswer or UnsupportedArtifact. */
export function readManifest({ bytes, mediaType }: FoundManifest, label: string): ArtifactManifest {
  const parsed = parseObject(bytes);
  if (!parsed) throw malformedAnswer(label, 'is no manifest');
  const type = typeof parsed['mediaType'] === 'string' ? parsed['mediaType'] : mediaType;
  if (type === MANIFEST_TYPES.index || type === MANIFEST_TYPES.dockerList || Array.isArray(parsed['manifests'])) {
    throw sourceError(
      'UnsupportedArtifact',
      `${label} is an index of several artifacts, such as an image for several platforms. Name an artifact that holds manifests or a chart.`,
    );
  }
  const layers = Array.isArray(parsed['layers']) ? parsed['layers'].map(readDescriptor) : [];
  if (layers.includes(undefined)) throw malformedAnswer(label, 'is a manifest with a layer that cannot be read');
  return { mediaType: type, layers: layers as Descriptor[], annotations: textsOf(parsed['annotations']) };
}

/** Throws StageError UnsupportedArtifact or TooLarge. */
export function contentOf(
  { layers }: Pick<ArtifactManifest, 'layers'>,
  { label, isChart }: { readonly label: string; readonly isChart: boolean },
  { maxLayers }: Pick<RegistryLimits, 'maxLayers'>,
): ArtifactContent {
  if (layers.length > maxLayers) {
    throw sourceError('TooLarge', `${label} holds more than ${maxLayers} layers (maxLayers). Push it as one.`);
  }
  const chart = layers.find(({ mediaType }) => mediaType === CHART_TYPE);
  if (chart) return { layer: chart, isChart: true };
  const types = layers.map(({ mediaType }) => cleanText(mediaType, 100)).join(', ') || 'no layer';
  if (isChart) {
    throw sourceError('UnsupportedArtifact', `${label} is no Helm chart: it holds ${types}. Remove spec.source.chart.`);
  }
  const archives = layers.filter(({ mediaType }) => ARCHIVE_TYPE.test(mediaType));
  const [layer] = archives;
  if (layer && archives.length === 1) return { layer, isChart: false };
  throw sourceError(
    'UnsupportedArtifact',
    `${label} must hold exactly one layer that is a tar archive, and holds ${types}. Push its files as one archive.`,
  );
}

export function parseObject(bytes: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
      ? (parsed as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** undefined: it names no digest of SHA-256 or no size. */
export function readDescriptor(value: unknown): Descriptor | undefined {
  const { mediaType, digest, size, annotations } = (value ?? {}) as Record<string, unknown>;
  const isWhole = typeof mediaType === 'string' && typeof digest === 'string' && DIGEST.test(digest);
  if (!isWhole || !Number.isSafeInteger(size) || (size as number) < 0) return undefined;
  return { mediaType, digest, size: size as number, annotations: textsOf(annotations) };
}

function textsOf(value: unknown): Readonly<Record<string, string>> {
  const entries = Object.entries((value ?? {}) as Record<string, unknown>);
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}
