/** The real sops with small bounds, and renders of trees in memory that open their sealed files with it. */
import { createSops, type Sops, type SopsOptions } from '../../../src/sops/sops.ts';
import { readAgeKeys } from '../../../src/sops/age-keys.ts';
import type { GivenOptions } from '../../../src/render/render.ts';
import { renderPath } from '../../../src/render/render.ts';
import type { Manifests } from '../../../src/render/manifests.ts';
import type { Answer, SealedNeed } from '../../../src/render/needs.ts';
import { renderWithAnswers } from '../../../src/render/rounds.ts';
import { landlockBinary, sopsBinary } from '../../control-plane/binaries.ts';
import type { AgeKeyPair } from '../../support/sealed-files.ts';
import { LIMITS, memoryTree } from '../../unit/render/memory-tree.ts';

export async function startSops(options: Partial<SopsOptions> = {}): Promise<Sops> {
  return createSops({
    program: await sopsBinary(),
    searchPath: '',
    keyFolder: '/dev/shm',
    landlockProgram: await landlockBinary(),
    limits: { deadlineMs: 60_000, maxRssBytes: 512 * 2 ** 20, maxOutputBytes: 16 * 2 ** 20 },
    slots: 1,
    maxWaiting: 1000,
    ...options,
  });
}

export function keysOf(...pairs: readonly AgeKeyPair[]) {
  const text = pairs.map((pair) => pair.private).join('\n');
  const read = readAgeKeys(new Map([['keys.agekey', Buffer.from(text)]]));
  if (!read.ok) throw new Error(read.problem);
  return { type: 'secret', secret: 'apps/keys', ...read.keys } as const;
}

export interface SealedRender {
  readonly sops: Sops;
  readonly files: Readonly<Record<string, string | Uint8Array>>;
  readonly keys: readonly AgeKeyPair[];
  readonly options?: GivenOptions;
}

/** Renders the root, and counts the files that sops is asked for. */
export async function renderSealed({
  sops,
  files,
  keys,
  options = {},
}: SealedRender): Promise<{ readonly manifests: Manifests; readonly opened: number }> {
  let opened = 0;
  const open = (sealed: SealedNeed): Promise<Answer> => {
    opened += 1;
    return sops.open({ sealed, keys: keysOf(...keys), tenant: '', signal: new AbortController().signal });
  };
  const { manifests } = await renderWithAnswers<Answer>({
    known: new Map(),
    render: (answers) =>
      renderPath({
        tree: memoryTree(files),
        path: '',
        limits: LIMITS,
        options: { decryption: { secretRef: { name: 'keys' } }, ...options },
        answers,
      }),
    bring: (need) => {
      if (need.type === 'sealed') return open(need);
      throw new Error(`the render asks for ${need.type}`);
    },
  });
  return { manifests, opened };
}
