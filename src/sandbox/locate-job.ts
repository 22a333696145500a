/** The parent's side of finding the lines of fields: the child reads the files, and answers with numbers. */
import { dirname } from 'node:path';
import type { FieldQuestion } from '../render/locate-fields.ts';
import type { SnapshotTree } from '../source/snapshot.ts';
import type { TreeLimits } from './render-job.ts';
import type { Sandbox } from './sandbox.ts';

/** The input of the job. */
export interface LocateJobInput {
  readonly tree: SnapshotTree;
  readonly questions: readonly FieldQuestion[];
  readonly maxFileBytes: number;
  readonly treeLimits: TreeLimits;
}

export interface LocateRequest {
  readonly tree: SnapshotTree;
  readonly questions: readonly FieldQuestion[];
  /** The namespace of the Application. */
  readonly tenant: string;
  readonly signal: AbortSignal;
}

export interface LocateSettings {
  readonly limits: { readonly maxFileBytes: number };
  readonly treeLimits: TreeLimits;
  readonly deadlineMs: number;
}

/** For each question the 1-based line, or undefined. Rejects with StageError of the sandbox, or of reading the tree. */
export async function locateInSandbox(
  sandbox: Sandbox,
  { tree, questions, tenant, signal }: LocateRequest,
  { limits, treeLimits, deadlineMs }: LocateSettings,
): Promise<(number | undefined)[]> {
  const input: LocateJobInput = { tree, questions, maxFileBytes: limits.maxFileBytes, treeLimits };
  const job = { name: 'locateFields', stage: 'render', input, tenant, dataFolders: [dirname(tree.gitDir)] } as const;
  const bytes = await sandbox.run(job, { deadlineMs, signal });
  const lines: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
  // The child has read untrusted files: its answer is checked.
  return questions.map((_, index) => {
    const line: unknown = Array.isArray(lines) ? lines[index] : undefined;
    return Number.isSafeInteger(line) && Number(line) > 0 ? Number(line) : undefined;
  });
}
