/**
 * The questions of a render to the rest of the agent, and their answers. A render never fetches: it names what only an
 * effect can bring, ends, and is repeated with the answers (rounds.ts).
 *
 * Invariant: a need is plain data, and its key covers everything that the answer depends on as far as the render knows
 * it. Equal keys mean equal questions.
 */
import type { Problem } from '../object/problem.ts';
import type { Recipient, SealedFormat } from './sealed/sealed-file.ts';

/** A file or folder of one of the trees of a render, by its path from the root of that tree. */
export interface TreePlace {
  /** '' is the tree of spec.source; `$name` one of spec.sources; otherwise the key of a need that a tree answers. */
  readonly tree: string;
  /** Path within the tree, links resolved. */
  readonly path: string;
}

/** The repository of a tree, and the content beside its own objects that is read. */
export interface TreeOrigin {
  readonly repoURL: string;
  /** Whether its submodules are read. */
  readonly submodules: boolean;
  /** Whether the content of its files in Git LFS is read. */
  readonly lfs: boolean;
}

/** The Application as a chart sees it. */
export interface Release {
  readonly name: string;
  /** The namespace that its objects go to by default. */
  readonly namespace: string;
}

/** The cluster for which a chart is rendered; charts read it as `.Capabilities`. */
export interface Capabilities {
  /** `v1.36.3`; undefined: that which helm assumes. */
  readonly kubeVersion: string | undefined;
  /** `group/version` and `group/version/Kind`, sorted. */
  readonly apiVersions: readonly string[];
}

interface Asked {
  /** Names the question; a digest or a short text. */
  readonly key: string;
  /** File and 1-based line that asks, for problems. The spec of the Application asks without a file. */
  readonly file?: string;
  readonly line?: number;
}

/** The data of a ConfigMap or Secret in the namespace of the Application, read with its account. */
export interface DataNeed extends Asked {
  readonly type: 'data';
  readonly kind: 'ConfigMap' | 'Secret';
  readonly name: string;
}

/** Equal for all who ask for the same object, so that it is read once. */
export function dataNeed(kind: DataNeed['kind'], name: string): DataNeed {
  return { type: 'data', key: `${kind} ${name}`, kind, name };
}

/** Another Git repository: a remote base or component of a kustomization. The answer is a tree. */
export interface RepositoryNeed extends Asked {
  readonly type: 'repository';
  readonly repoURL: string;
  /** As `spec.source.revision`. */
  readonly revision: string;
  /** False: the address names no revision, so that the default branch is followed. */
  readonly isPinned: boolean;
}

/** The commit of another repository that a submodule names. The answer is a tree. */
export interface SubmoduleNeed extends Asked {
  readonly type: 'submodule';
  /** Address of its repository, resolved. */
  readonly repoURL: string;
  /** 40 hex digits. */
  readonly commit: string;
  /** Path of the submodule, for messages. */
  readonly path: string;
  /** Address of the repository that holds it. */
  readonly parentURL: string;
  /** The source that it belongs to, by the name of its tree; see `TreePlace`. */
  readonly owner: string;
}

/** The content of a file in Git LFS. The answer is a tree with one file; see `LFS_FILE`. */
export interface LfsNeed extends Asked {
  readonly type: 'lfs';
  /** SHA-256 of the content, 64 hex digits. */
  readonly oid: string;
  readonly sizeBytes: number;
  /** Address of the repository that holds the pointer. */
  readonly repoURL: string;
  /** As `SubmoduleNeed.owner`. */
  readonly owner: string;
}

/** A chart of a Helm repository or registry. The answer is a tree whose root is the folder of the chart. */
export interface ChartNeed extends Asked {
  readonly type: 'chart';
  /** http(s):// of a repository with an index.yaml, or oci:// of a registry without the name of the chart. */
  readonly repoURL: string;
  readonly name: string;
  /** A version or a semver range; empty: the newest. */
  readonly version: string;
}

/** The output of `helm template`. The answer is text. */
export interface HelmNeed extends Asked {
  readonly type: 'helm';
  readonly run: HelmRun;
}

/** The plain text of a file that SOPS has sealed. */
export interface SealedNeed extends Asked {
  readonly type: 'sealed';
  readonly format: SealedFormat;
  readonly recipients: readonly Recipient[];
  /** The sealed bytes in base64. */
  readonly content: string;
}

export type Need = DataNeed | RepositoryNeed | SubmoduleNeed | LfsNeed | ChartNeed | HelmNeed | SealedNeed;

/** One call of `helm template`. */
export interface HelmRun {
  readonly chart: TreePlace;
  /** Object id of the chart's folder, so that the key covers its files. */
  readonly chartOid: string;
  /** Dependencies that are not vendored; each is placed as `charts/<name>`. */
  readonly dependencies: readonly { readonly name: string; readonly place: TreePlace; readonly oid: string }[];
  /** In the order in which helm merges them: a later one wins. */
  readonly values: readonly HelmValues[];
  /** `--set`, or `--set-string` if `isText`. */
  readonly parameters: readonly { readonly name: string; readonly value: string; readonly isText: boolean }[];
  readonly releaseName: string;
  /** A Go template that gives the name of the release instead; only kustomizations name one. */
  readonly nameTemplate?: string;
  /** Empty: the default of helm. */
  readonly namespace: string;
  /** undefined: the version of the cluster. */
  readonly kubeVersion: string | undefined;
  /** In addition to those of the cluster. */
  readonly apiVersions: readonly string[];
  readonly includeCrds: boolean;
  readonly skipTests: boolean;
  readonly skipHooks: boolean;
}

export type HelmValues =
  | { readonly type: 'file'; readonly place: TreePlace; readonly oid: string }
  /** YAML or JSON. If `isSecret`, no part of it is ever shown. */
  | { readonly type: 'text'; readonly text: string; readonly isSecret: boolean };

/** The answer to one need. A tree is handed to the render beside the answer, by the key of the need. */
export type Answer =
  | { readonly type: 'data'; readonly data: Readonly<Record<string, string>> }
  /** The ConfigMap or Secret does not exist. */
  | { readonly type: 'noData' }
  /** `again`: the output of a second run, if the text may vary. */
  | { readonly type: 'text'; readonly text: string; readonly again?: string }
  | { readonly type: 'tree' }
  /** The opened bytes of a sealed file. No part of them is ever shown or stored. */
  | { readonly type: 'opened'; readonly bytes: Uint8Array }
  /** The answer cannot be brought; the problem says why. */
  | {
      readonly type: 'refused';
      readonly problem: Omit<Problem, 'file' | 'line'>;
      /** The file of the chart that helm blames, and its 1-based line. */
      readonly blamed?: { readonly path: string; readonly line?: number };
    };

/** Answers by the key of their need. */
export type Answers = ReadonlyMap<string, Answer>;
