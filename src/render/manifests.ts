/** What render/ hands on: rendered objects with where they come from, and all that is wrong with the input. */
import type { KubeObject } from '../object/value.ts';
import type { Problem } from '../object/problem.ts';

export interface Manifest {
  readonly object: KubeObject;
  /** `digestValue(object)`. */
  readonly digest: string;
  /** Path within the snapshot of the file that the object came from. */
  readonly file: string;
  /** 1-based line at which its document begins. */
  readonly line: number;
}

/** Something that only an effect can bring (a remote base, a chart, a key): fetched by reconcile, rendered again. */
export interface Need {
  readonly type: 'remoteBase' | 'chart' | 'substitution' | 'key';
  readonly name: string;
}

export interface Manifests {
  readonly manifests: readonly Manifest[];
  /** Not empty: the render is incomplete, and nothing may be pruned on it. */
  readonly problems: readonly Problem[];
  /** Deprecated spellings and the like; never a reason to hold anything back. */
  readonly warnings: readonly string[];
  readonly needs: readonly Need[];
  /** Object ids of all that the render looked at by path, absence included (as the empty string). */
  readonly readSet: Readonly<Record<string, string>>;
}

export interface RenderLimits {
  /** Bytes of one YAML or JSON file. */
  readonly maxFileBytes: number;
  /** Nodes of one file after aliases are expanded. */
  readonly maxNodes: number;
  /** Nesting of collections. */
  readonly maxDepth: number;
  readonly maxObjects: number;
  readonly maxFiles: number;
}
