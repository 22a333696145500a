/**
 * Keeps outputs of helm for runs with the same inputs, so that helm runs again only for the charts whose inputs have
 * changed, however many of them one render has.
 *
 * Invariants: the key covers every byte that helm reads, its arguments and its version. An output is kept for one
 * tenant, in memory alone and compressed. Outputs of runs with values from Secrets or sealed files, refusals, and
 * outputs that vary are not kept.
 */
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { inTurns } from '../cluster/concurrency.ts';
import { helmCommand } from './arguments.ts';
import type { Helm, HelmCall } from './helm.ts';

export interface KeptOutputsLimits {
  /** Bytes of all kept outputs together, compressed; those used least recently go first. */
  readonly maxKeptBytes: number;
}

export const DEFAULT_KEPT_OUTPUTS: KeptOutputsLimits = { maxKeptBytes: 16 * 1024 * 1024 };

interface Kept {
  readonly compressed: Buffer;
  /** Whether helm ran twice, with the same output. */
  readonly isTwice: boolean;
}

/** The same helm, with a memory. */
export function withKeptOutputs(helm: Helm, { maxKeptBytes }: KeptOutputsLimits): Helm {
  /** The one used last is the last. */
  const kept = new Map<string, Kept>();
  let keptBytes = 0;

  function forget(key: string): void {
    keptBytes -= kept.get(key)?.compressed.length ?? 0;
    kept.delete(key);
  }

  function keep(key: string, output: Kept): void {
    forget(key);
    kept.set(key, output);
    keptBytes += output.compressed.length;
    for (const oldest of kept.keys()) {
      if (keptBytes <= maxKeptBytes) return;
      forget(oldest);
    }
  }

  return {
    ...helm,
    async template(call) {
      if (call.run.values.some((value) => value.type === 'text' && value.isSecret)) return helm.template(call);
      const version = await helm.version();
      const key = await inTurns(keyOf(call, version));
      const found = kept.get(key);
      if (found) {
        keep(key, found);
        const text = (await promisify(gunzip)(found.compressed)).toString('utf8');
        return { type: 'text', text, ...(found.isTwice ? { again: text } : {}) };
      }
      const answer = await helm.template(call);
      if (answer.type !== 'text' || (answer.again !== undefined && answer.again !== answer.text)) return answer;
      keep(key, { compressed: await promisify(gzip)(answer.text), isTwice: answer.again !== undefined });
      return answer;
    },
  };
}

const CHUNK_BYTES = 1024 * 1024;

/** In turns, since a chart may have many megabytes. Every part has its length before it. */
function* keyOf({ run, files, capabilities, tenant }: HelmCall, version: string): Generator<undefined, string> {
  const hash = createHash('sha256');
  const { args, input, valueFiles } = helmCommand(run, capabilities);
  hash.update(JSON.stringify([tenant, version, args, input, valueFiles]));
  for (const { path, bytes } of files) {
    hash.update(JSON.stringify([path, bytes.length]));
    for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
      hash.update(bytes.subarray(at, at + CHUNK_BYTES));
      yield;
    }
  }
  return hash.digest('base64url');
}
