/** Starts `source-process.ts` and asks it for polls and fetches. */
import { fork } from 'node:child_process';
import { builtFile } from './built-program.ts';

export type SourceTask =
  /**
   * `secret`: the values of a Secret by key. `mustFetch`: also brings the commit that the poll finds. `afterMs`: the
   * clock of the source goes so far ahead before.
   */
  | {
      readonly type: 'bring';
      readonly repoUrl: string;
      readonly secret?: Readonly<Record<string, string>> | undefined;
      readonly mustFetch: boolean;
      readonly afterMs?: number;
    }
  | { readonly type: 'figures' };

export interface SourceFigures {
  /** Open descriptors of the process. */
  readonly descriptors: number;
  /** JavaScript heap after a collection. */
  readonly heapBytes: number;
  /** Commits on disk. */
  readonly snapshots: number;
  /** A pack that several of them share counts once. */
  readonly diskBytes: number;
}

export type SourceReply =
  /** `durationMs`: of the poll and the fetch, without the message that asked for them. */
  | { readonly type: 'brought'; readonly commit: string; readonly durationMs: number }
  | { readonly type: 'figures'; readonly figures: SourceFigures }
  | { readonly type: 'failed'; readonly message: string };

/** The address of a repository on its branch `main`, and the values of the Secret for it. */
export type ServedPlace = Pick<Extract<SourceTask, { readonly type: 'bring' }>, 'repoUrl' | 'secret' | 'afterMs'>;

export interface SourceApart extends AsyncDisposable {
  readonly pid: number;
  poll(place: ServedPlace): Promise<Extract<SourceReply, { readonly type: 'brought' }>>;
  /** Polls, and fetches the commit that the poll finds. */
  fetch(place: ServedPlace): Promise<Extract<SourceReply, { readonly type: 'brought' }>>;
  figures(): Promise<SourceFigures>;
}

/** `dataDir` is created. One call at a time. Calls reject with an Error in the words of the source. */
export function startSourceApart(dataDir: string): SourceApart {
  const child = fork(builtFile('source-process.js'), [dataDir], {
    serialization: 'advanced',
    execArgv: ['--expose-gc'],
    env: {},
  });
  const ended = new Promise<never>((_resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the process of the source has ended (${String(code)})`)));
  });
  ended.catch(() => undefined);

  async function ask(task: SourceTask): Promise<Exclude<SourceReply, { readonly type: 'failed' }>> {
    const answered = new Promise<SourceReply>((resolve) => child.once('message', resolve));
    child.send(task);
    const reply = await Promise.race([answered, ended]);
    if (reply.type === 'failed') throw new Error(reply.message);
    return reply;
  }

  async function bring(place: ServedPlace, mustFetch: boolean) {
    const reply = await ask({ type: 'bring', ...place, mustFetch });
    if (reply.type !== 'brought') throw new TypeError(reply.type);
    return reply;
  }

  return {
    pid: child.pid ?? 0,
    poll: (place) => bring(place, false),
    fetch: (place) => bring(place, true),
    async figures() {
      const reply = await ask({ type: 'figures' });
      if (reply.type !== 'figures') throw new TypeError(reply.type);
      return reply.figures;
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exit = new Promise((resolve) => child.once('exit', resolve));
      child.disconnect();
      await exit;
    },
  };
}
