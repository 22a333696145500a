/** The result of render/: the rendered objects with the files that they come from, and the problems of the input. */
import type { KubeObject } from '../object/value.ts';
import type { Problem } from '../object/problem.ts';
import type { Need } from './needs.ts';

export interface Manifest {
  readonly object: KubeObject;
  /** `digestValue(object)`. */
  readonly digest: string;
  /** Path, within the snapshot, of the file that the object comes from. */
  readonly file: string;
  /** 1-based line at which its document begins. */
  readonly line: number;
  /** It is no Secret, and may hold values of a sealed file or of a substituted Secret: its values are not shown. */
  readonly isSealed?: true;
}

export interface Manifests {
  readonly manifests: readonly Manifest[];
  /** If there are any, the render is incomplete, and objects that are missing in it must not be pruned. */
  readonly problems: readonly Problem[];
  /** Deprecated fields and the like; they never prevent anything. */
  readonly warnings: readonly string[];
  /** Questions without an answer. If there are any, the rest is empty. */
  readonly needs: readonly Need[];
  /** Keys of the answers that it depends on. Absent: none. */
  readonly answersUsed?: readonly string[];
  /** Git object id by path for every path that the render looked up; empty for a path that is absent. */
  readonly readSet: Readonly<Record<string, string>>;
  /** For people: why nothing is rendered. Set exactly if there are neither manifests nor problems. */
  readonly whyEmpty?: string;
  /** Size of the objects in memory (rendered-size.ts), if it was measured. */
  readonly sizeBytes?: number;
}

export interface RenderLimits {
  /** Size of one file. */
  readonly maxFileBytes: number;
  /** YAML nodes of one file, with aliases expanded. */
  readonly maxNodes: number;
  /** Nesting of collections in one file. */
  readonly maxDepth: number;
  readonly maxObjects: number;
  readonly maxFiles: number;
}
