/** The real helm in a folder of the test, as the agent runs it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHelm, type Helm, type HelmOptions } from '../../src/helm/helm.ts';
import { helmBinary, landlockBinary } from '../control-plane/binaries.ts';
import { useStarted } from './use-world.ts';

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

export interface RealHelm extends AsyncDisposable {
  readonly helm: Helm;
  /** Path of the program. */
  readonly program: string;
  /** A folder for the files of the tests. */
  readonly root: string;
}

/** Starts helm before the first test of a file, and removes its folder after the last one. */
export function useRealHelm(): RealHelm {
  return useStarted('helm', async () => {
    const root = mkdtempSync(join(tmpdir(), 'tautline-charts-'));
    const options = await realHelmOptions(root);
    const helm = createHelm(options);
    return {
      ...{ helm, root, program: options.program },
      async [Symbol.asyncDispose]() {
        helm.close();
        rmSync(root, { recursive: true, force: true });
      },
    };
  });
}
