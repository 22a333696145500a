/** The bounds of registry/. A message that refuses something for its size names the bound. */

export interface RegistryLimits {
  /** Bytes of one manifest of a registry. */
  readonly maxManifestBytes: number;
  /** Bytes of one page of tags, and of an answer with a token. */
  readonly maxPageBytes: number;
  /** Tags of one artifact. */
  readonly maxTags: number;
  /** Pages of one list of tags. */
  readonly maxTagPages: number;
  /** Layers of one artifact. */
  readonly maxLayers: number;
  /** Bytes of one archive as the server sends it. */
  readonly maxArchiveBytes: number;
  /** Bytes of one archive after inflating. */
  readonly maxInflatedArchiveBytes: number;
  /** Bytes of the index.yaml of one Helm repository. */
  readonly maxIndexBytes: number;
  /** Versions of one chart in an index. */
  readonly maxChartVersions: number;
  /** Indexes that are kept on disk, and whose charts are remembered. */
  readonly maxIndexes: number;
  /** Tokens of registries that are remembered. */
  readonly maxTokens: number;
  /** Signatures of one artifact that are looked at. */
  readonly maxSignatures: number;
  /** Bytes of one signature with the text that it signs. */
  readonly maxSignatureBytes: number;
  /** For one request that is no download of an archive. */
  readonly requestTimeoutMs: number;
  /** For one archive or index, from the first byte of the request to the last of the answer. */
  readonly downloadTimeoutMs: number;
  /** For reading one archive or index in the sandbox. */
  readonly readTimeoutMs: number;
}

const MiB = 1024 * 1024;

export const defaultRegistryLimits: RegistryLimits = {
  maxManifestBytes: 4 * MiB,
  maxPageBytes: 4 * MiB,
  maxTags: 50_000,
  maxTagPages: 200,
  maxLayers: 10,
  maxArchiveBytes: 64 * MiB,
  maxInflatedArchiveBytes: 512 * MiB,
  maxIndexBytes: 48 * MiB,
  maxChartVersions: 20_000,
  maxIndexes: 16,
  maxTokens: 1_000,
  maxSignatures: 20,
  maxSignatureBytes: MiB,
  requestTimeoutMs: 60_000,
  downloadTimeoutMs: 600_000,
  readTimeoutMs: 120_000,
};
