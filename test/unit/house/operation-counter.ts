/**
 * Counts what a computation does, so that a test can tell how its cost grows without a clock: the blocks of JavaScript
 * that run, the elements that built-in searches pass, and the bytes that are allocated (a copied list or text).
 *
 * Invariant: only modules that are imported after `start` are counted block by block.
 */
import { Session } from 'node:inspector/promises';

export interface Cost {
  /** Blocks of code that ran, and elements that built-in searches and moves passed. */
  readonly steps: number;
  readonly bytes: number;
  /** The functions that ran most blocks, for the message of a failed test. */
  readonly busiest: readonly string[];
}

/** Mean distance of two samples of the allocation profiler; a total of some megabytes is exact to a few percent. */
const SAMPLE_BYTES = 256;

export class OperationCounter {
  readonly #session: Session;

  private constructor(session: Session) {
    this.#session = session;
  }

  static async start(): Promise<OperationCounter> {
    const session = new Session();
    session.connect();
    await session.post('Profiler.enable');
    await session.post('HeapProfiler.enable');
    await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
    return new OperationCounter(session);
  }

  async count(run: () => unknown): Promise<Cost> {
    const session = this.#session;
    await session.post('Profiler.takePreciseCoverage');
    await session.post('HeapProfiler.startSampling', {
      samplingInterval: SAMPLE_BYTES,
      includeObjectsCollectedByMajorGC: true,
      includeObjectsCollectedByMinorGC: true,
    });
    const searches = countSearches();
    try {
      await run();
    } finally {
      searches.stop();
    }
    const { profile } = await session.post('HeapProfiler.stopSampling');
    const { result } = await session.post('Profiler.takePreciseCoverage');
    const byFunction = new Map<string, number>();
    for (const { url, functions } of result) {
      if (!url.includes('/src/') && !url.includes('/node_modules/')) continue;
      for (const { functionName, ranges } of functions) {
        const name = `${functionName} in ${url.slice(url.lastIndexOf('/') + 1)}`;
        const blocks = ranges.reduce((sum, { count }) => sum + count, 0);
        byFunction.set(name, (byFunction.get(name) ?? 0) + blocks);
      }
    }
    const busiest = [...byFunction].sort(([, a], [, b]) => b - a).slice(0, 4);
    return {
      steps: [...byFunction.values()].reduce((sum, blocks) => sum + blocks, searches.passed()),
      bytes: sumSizes(profile.head),
      busiest: [...busiest, ['built-in searches', searches.passed()]].map(([name, blocks]) => `${name}: ${blocks}`),
    };
  }

  stop(): void {
    this.#session.disconnect();
  }
}

interface AllocationNode {
  readonly callFrame: { readonly url: string };
  readonly selfSize: number;
  readonly children: readonly AllocationNode[];
}

/** Without what the files in memory of the tests allocate. */
function sumSizes(node: AllocationNode): number {
  if (node.callFrame.url.includes('/memory-tree')) return 0;
  return node.children.reduce((sum, child) => sum + sumSizes(child), node.selfSize);
}

type Method = (this: { readonly length: number }, ...args: never[]) => unknown;

/** Wraps the built-in methods whose cost grows with the list or text that they are called on. */
function countSearches(): { passed: () => number; stop: () => void } {
  let passed = 0;
  const undo: (() => void)[] = [];
  const wrap = (
    prototype: object,
    name: string,
    passedBy: (length: number, args: unknown[], result: unknown) => number,
  ) => {
    const original = Object.getOwnPropertyDescriptor(prototype, name) as PropertyDescriptor & { value: Method };
    const method = original.value;
    const wrapped = function (this: { readonly length: number }, ...args: unknown[]): unknown {
      const { length } = this;
      const result = Reflect.apply(method, this, args);
      passed += passedBy(length, args, result);
      return result;
    };
    Object.defineProperty(prototype, name, { ...original, value: wrapped });
    undo.push(() => Object.defineProperty(prototype, name, original));
  };
  const upTo = (length: number, [, from]: unknown[], result: unknown): number =>
    Math.max(0, (typeof result === 'number' && result >= 0 ? result : length) - (typeof from === 'number' ? from : 0));
  wrap(Array.prototype, 'indexOf', upTo);
  wrap(Array.prototype, 'includes', (length) => length);
  wrap(Array.prototype, 'splice', (length, [at]) => Math.max(0, length - Math.max(0, Number(at))));
  wrap(Array.prototype, 'unshift', (length) => length);
  wrap(String.prototype, 'indexOf', upTo);
  wrap(String.prototype, 'lastIndexOf', (length, _, result) => length - Number(result));
  return {
    passed: () => passed,
    stop: () => {
      for (const step of undo) step();
    },
  };
}
