/** The real helm in a folder of the test, as the agent runs it. */
import { join } from 'node:path';
import type { HelmOptions } from '../../src/helm/helm.ts';
import { helmBinary, landlockBinary } from '../control-plane/binaries.ts';

/** `folder` exists. Builds helm if it must, which may take minutes. */
export async function realHelmOptions(
  folder: string,
  limits: Partial<HelmOptions['limits']> = {},
): Promise<HelmOptions> {
  return {
    program: await helmBinary(),
    searchPath: '',
    folder: join(folder, 'runs'),
    landlockProgram: await landlockBinary(),
    limits: { deadlineMs: 120_000, maxRssBytes: 1e9, maxOutputBytes: 3e7, ...limits },
    slots: 1,
    maxWaiting: 10,
  };
}
