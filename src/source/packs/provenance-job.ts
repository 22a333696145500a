/** The job of the sandbox that verifies the provenance file of a chart on disk. Only public keys go in. */
import { dirname } from 'node:path';
import { verifyProvenance, type ProvenanceOptions, type SignedChart } from '../signatures/provenance.ts';
import type { Signer } from '../signatures/ssh-signature.ts';
import type { IndexJobOptions, JobRunner } from './index-job.ts';
import { openPackTree, type PackTreeLimits } from './pack-tree.ts';
import { decodeSigner, encodeSigner } from './signature-job.ts';

export interface VerifyProvenanceInput extends ProvenanceOptions {
  /** Everything but the Chart.yaml, which is read from the snapshot. */
  readonly chart: Omit<SignedChart, 'chartYaml'>;
  /** Folder of the snapshot of the archive. */
  readonly gitDir: string;
  readonly treeOid: string;
  readonly limits: PackTreeLimits;
}

/** Rejects with the StageErrors of `verifyProvenance`, and those of the sandbox. */
export async function runVerifyProvenance(
  sandbox: JobRunner,
  input: VerifyProvenanceInput,
  { tenant, ...options }: IndexJobOptions,
): Promise<Signer> {
  const dataFolders = [dirname(input.gitDir)];
  const job = { name: 'verifyProvenance', stage: 'source', input, tenant, dataFolders } as const;
  return decodeSigner(await sandbox.run(job, options));
}

const CHART_FILE = 'Chart.yaml';

/** In the sandbox. */
export async function verifyChart({ chart, gitDir, treeOid, limits, ...options }: VerifyProvenanceInput) {
  const tree = openPackTree({ gitDir, treeOid }, limits);
  try {
    const isFile = tree.find(CHART_FILE).type === 'file';
    const chartYaml = isFile ? Buffer.from(tree.read(CHART_FILE)).toString('utf8') : '';
    return encodeSigner(await verifyProvenance({ ...chart, chartYaml }, options));
  } finally {
    tree.close();
  }
}
