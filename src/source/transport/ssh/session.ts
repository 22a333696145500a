/**
 * One SSH channel on which a program of the server runs.
 *
 * Invariants: every wait settles when the channel or its connection ends; data that came before is read first. A
 * channel is read to its end even if the answer is not wanted any more, because the library closes only a channel that
 * was read. At most some chunks are kept in memory; the server waits meanwhile.
 */
import type { ClientChannel } from 'ssh2';
import type { ProgramEnd } from './ssh-failure.ts';

export interface Session {
  write(bytes: Buffer | string): void;
  /** Closes the input of the program. */
  end(bytes?: Buffer | string): void;
  /** The next piece of the answer; undefined at its end. Rejects with ConnectionEnded. One call at a time. */
  read(): Promise<Buffer | undefined>;
  /** Call it at the end of the answer. Rejects with ConnectionEnded. */
  ended(): Promise<ProgramEnd>;
  /** Asks the server to close the channel, and drops what still comes. Call it in every case. */
  readonly close: () => void;
}

export interface SessionOptions {
  readonly channel: ClientChannel;
  /** Called once, when the channel is closed. */
  readonly onClosed: () => void;
  /** Called if the server does not close the channel in time. */
  readonly onStuck: () => void;
  readonly closeTimeoutMs: number;
}

const MAX_CHUNKS = 32;
const MAX_STDERR_BYTES = 2048;

export interface OpenSession extends Session {
  /** The connection has ended. */
  fail(reason: Error): void;
}

export function createSession({ channel, onClosed, onStuck, closeTimeoutMs }: SessionOptions): OpenSession {
  const end = watchEnd(channel);
  const chunks: Buffer[] = [];
  let state: 'open' | 'eof' | 'closed' = 'open';
  let failure: Error | undefined;
  let isDropped = false;
  let stuckTimer: NodeJS.Timeout | undefined;
  let wake: (() => void) | undefined;

  const change = (): void => {
    wake?.();
    wake = undefined;
  };
  const nextChange = (): Promise<void> => new Promise((resolve) => (wake = resolve));

  channel.on('data', (chunk: Buffer) => {
    if (isDropped) return;
    chunks.push(chunk);
    if (chunks.length >= MAX_CHUNKS) channel.pause();
    change();
  });
  channel.on('end', () => {
    if (state === 'open') state = 'eof';
    change();
  });
  channel.on('close', () => {
    if (state === 'closed') return;
    state = 'closed';
    clearTimeout(stuckTimer);
    onClosed();
    change();
  });

  return {
    write: (bytes) => void channel.write(bytes),
    end: (bytes) => void (bytes === undefined ? channel.end() : channel.end(bytes)),
    async read() {
      for (;;) {
        const chunk = chunks.shift();
        if (chunk) {
          if (chunks.length === 0) channel.resume();
          return chunk;
        }
        if (state !== 'open') return undefined;
        // If the connection has ended, the library ends the channel behind the data that has come.
        await nextChange();
      }
    },
    async ended() {
      while (state !== 'closed' && !failure) await nextChange();
      if (failure && end().code === undefined) throw failure;
      return end();
    },
    close() {
      if (isDropped) return;
      isDropped = true;
      chunks.length = 0;
      channel.resume();
      if (state === 'closed' || failure) return;
      stuckTimer = setTimeout(onStuck, closeTimeoutMs);
      channel.end();
      channel.close();
    },
    fail(reason) {
      failure ??= reason;
      clearTimeout(stuckTimer);
      change();
    },
  };
}

/** Reads what the channel tells beside the answer; the returned function says how its program ended. */
function watchEnd(channel: ClientChannel): () => ProgramEnd {
  const stderr: Buffer[] = [];
  let stderrBytes = 0;
  let code: number | null | undefined;
  channel.stderr.on('data', (chunk: Buffer) => {
    if (stderrBytes < MAX_STDERR_BYTES) stderr.push(chunk.subarray(0, MAX_STDERR_BYTES - stderrBytes));
    stderrBytes += chunk.length;
  });
  channel.on('error', () => undefined);
  channel.stderr.on('error', () => undefined);
  channel.on('exit', (status: number | null) => {
    code = status;
  });
  return () => ({ code, stderr: Buffer.concat(stderr).toString('utf8') });
}
