/**
 * Repeats a render until it asks for nothing more: each round brings the answers to what the last one asked for. It is
 * pure but for the two functions that are handed in.
 *
 * Invariant: it ends. After `MAX_ROUNDS` rounds of answers the open needs become a problem.
 */
import type { Problem } from '../object/problem.ts';
import type { Manifests } from './manifests.ts';
import type { Need } from './needs.ts';

/** A chart within a base within an overlay, and values for it, take three. */
export const MAX_ROUNDS = 4;

/** Needs for files of the sources themselves. One of them may hide the next, such as a patch that is sealed. */
const FILES: ReadonlySet<Need['type']> = new Set(['sealed', 'submodule', 'lfs']);

/** Rounds that bring nothing but files. */
const MAX_FILE_ROUNDS = 64;

/** The part of a result that decides whether the render goes on. */
type Asking = Pick<Manifests, 'needs' | 'problems'>;

export interface Rounds<A, M extends Asking = Manifests> {
  /** Answers that are known already, by the key of their need. */
  readonly known: ReadonlyMap<string, A>;
  /** Renders with the answers so far. */
  readonly render: (answers: ReadonlyMap<string, A>) => M | Promise<M>;
  /** Brings the answer to one need. It is called for all needs of a round at once. */
  readonly bring: (need: Need, answers: ReadonlyMap<string, A>) => Promise<A>;
}

export interface Answered<A, M extends Asking = Manifests> {
  readonly manifests: M;
  readonly answers: ReadonlyMap<string, A>;
}

/** Rejects as `render` and `bring` do. */
export async function renderWithAnswers<A, M extends Asking = Manifests>({
  known,
  render,
  bring,
}: Rounds<A, M>): Promise<Answered<A, M>> {
  const answers = new Map(known);
  let round = 0;
  for (let fileRounds = 0; ;) {
    const manifests = await render(answers);
    if (manifests.needs.length === 0) return { manifests, answers };
    const areFilesAlone = manifests.needs.every(({ type }) => FILES.has(type)) && fileRounds < MAX_FILE_ROUNDS;
    if (round === MAX_ROUNDS && !areFilesAlone)
      return { manifests: { ...manifests, problems: [unanswered(manifests.needs)] }, answers };
    const brought = await Promise.all(
      manifests.needs.map(async (need) => [need.key, await bring(need, answers)] as const),
    );
    for (const [key, answer] of brought) answers.set(key, answer);
    if (areFilesAlone) fileRounds += 1;
    else round += 1;
  }
}

function unanswered(needs: readonly Need[]): Problem {
  const [first] = needs;
  const more = needs.length > 1 ? ` and ${needs.length - 1} more` : '';
  return {
    code: 'LimitExceeded',
    message:
      `after ${MAX_ROUNDS} rounds the render still asks for ${first === undefined ? 'more' : nameOfNeed(first)}${more}; ` +
      'charts and remote bases are nested too deeply',
    ...(first?.file === undefined ? {} : { file: first.file }),
    ...(first?.line === undefined ? {} : { line: first.line }),
  };
}

/** For people: `the chart redis of https://…`. */
export function nameOfNeed(need: Need): string {
  switch (need.type) {
    case 'data':
      return `the ${need.kind} ${need.name}`;
    case 'repository':
      return `the repository ${need.repoURL} at ${need.revision}`;
    case 'submodule':
      return `the submodule ${need.path}`;
    case 'lfs':
      return `the content of ${need.file ?? need.oid}, which is in Git LFS`;
    case 'chart':
      return `the chart ${need.name} of ${need.repoURL}`;
    case 'helm':
      return `the output of helm for the release ${need.run.releaseName}`;
    case 'sealed':
      return `the content of the sealed file ${need.file ?? ''}`;
  }
}
