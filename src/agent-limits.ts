/** The bounds of the edges, made of the settings of the agent. */
import type { Config } from './config/config.ts';
import type { ChartFilesLimits } from './render/helm/chart-files.ts';
import type { RenderLimits } from './render/manifests.ts';
import { defaultRegistryLimits } from './registry/limits.ts';
import { defaultSourceLimits, type SourceLimits } from './source/limits.ts';
import type { SourceOptions } from './source/source.ts';

const MiB = 1024 * 1024;

export function sourceLimitsOf(config: Config): SourceLimits {
  const { maxPackMib, maxRepositoryFiles, gitTimeoutMs, gitFetchTimeoutMs, indexTimeoutMs } = config;
  return {
    ...defaultSourceLimits,
    maxPackBytes: maxPackMib * MiB,
    maxDiskBytes: config.maxDataMib * MiB,
    maxFiles: maxRepositoryFiles,
    headersTimeoutMs: gitTimeoutMs,
    requestTimeoutMs: gitTimeoutMs,
    idleTimeoutMs: Math.min(gitTimeoutMs, defaultSourceLimits.idleTimeoutMs),
    fetchTimeoutMs: gitFetchTimeoutMs,
    indexTimeoutMs,
  };
}

export function registrySettingsOf(config: Config): SourceOptions['registry'] {
  const { registryTokenHosts, registryPlainHttp, gitTimeoutMs, gitFetchTimeoutMs, indexTimeoutMs } = config;
  return {
    tokenHosts: registryTokenHosts,
    plainHttpHosts: registryPlainHttp,
    limits: {
      ...defaultRegistryLimits,
      requestTimeoutMs: gitTimeoutMs,
      downloadTimeoutMs: gitFetchTimeoutMs,
      readTimeoutMs: indexTimeoutMs,
    },
  };
}

export function renderLimitsOf(config: Config): RenderLimits {
  return {
    maxFileBytes: config.maxFileMib * MiB,
    maxNodes: config.maxNodes,
    maxDepth: config.maxDepth,
    maxObjects: config.maxObjects,
    maxFiles: config.maxRenderFiles,
  };
}

export function chartLimitsOf(config: Config): ChartFilesLimits {
  return {
    maxFiles: config.maxRenderFiles,
    maxFileBytes: config.maxFileMib * MiB,
    maxChartBytes: config.maxChartMib * MiB,
  };
}
