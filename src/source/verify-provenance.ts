/**
 * Verifies the provenance file of a Helm chart before the files of the chart are used.
 *
 * Invariants: the archive whose digest is verified is the one that the snapshot was made of. Only a success is
 * remembered, for exactly these keys and until the key of the signer expires. A provenance file is kept beside its
 * snapshot once it was verified, so that the chart can be verified again without a request.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { digestValue } from '../object/digest.ts';
import type { Clock } from '../telemetry/ports.ts';
import type { SourceLimits } from './limits.ts';
import type { VerifyRequest } from './origin.ts';
import type { JobRunner } from './packs/index-job.ts';
import { runVerifyProvenance } from './packs/provenance-job.ts';
import { temporaryName, type StoredSnapshot } from './packs/snapshot-folder.ts';
import type { ChartVerification } from './signatures/chart-verification.ts';
import { explained } from './signatures/explain-refusal.ts';
import { subjectOf, withoutProvenance, type AskedChart } from './signatures/provenance.ts';
import type { Signer } from './signatures/ssh-signature.ts';
import { createSignerMemory, withSigner } from './signer-memory.ts';

export interface ProvenanceVerifierOptions {
  readonly sandbox: JobRunner;
  readonly limits: SourceLimits;
  readonly clock: Clock;
}

export interface ProvenanceVerifier {
  /** The same snapshot with its signer. Rejects with StageErrors. */
  verify(question: ProvenanceQuestion): Promise<StoredSnapshot>;
}

export interface ProvenanceQuestion extends Omit<VerifyRequest, 'resolved'> {
  readonly stored: StoredSnapshot;
  /** As `SourceAt.key`. */
  readonly key: string;
  /** Names the source in messages. */
  readonly label: string;
  readonly verification: ChartVerification;
  readonly asked: AskedChart;
  /** Asks the server. undefined: it has no provenance file for the chart. Throws StageError. */
  readonly bring: (signal: AbortSignal) => Promise<Provenance | undefined>;
}

export interface Provenance {
  /** `sha256:` and 64 hex digits of the archive. */
  readonly archiveDigest: string;
  /** The file. */
  readonly provenance: string;
}

export function createProvenanceVerifier(options: ProvenanceVerifierOptions): ProvenanceVerifier {
  const signers = createSignerMemory(options.clock);
  return {
    async verify(question) {
      const { stored, key: place, label, verification, asked, mayAsk, signal } = question;
      const key = digestValue([place, stored.commit, asked.name, asked.version ?? '', [...verification.keys]]);
      const work = (joined: AbortSignal) => verifyNow(options, { ...question, signal: joined });
      return withSigner(stored, await signers.find({ key, mayAsk, label, signal, work }));
    },
  };
}

type Question = ProvenanceQuestion & { readonly signal: AbortSignal };

/** A chart may be signed again after it was fetched, so the server is asked if the file on disk does not suffice. */
async function verifyNow(options: ProvenanceVerifierOptions, question: Question): Promise<Signer> {
  const { stored, asked, bring, mayAsk, signal } = question;
  const kept = await readKept(stored.gitDir);
  if (kept) {
    try {
      return await check(options, question, kept);
    } catch (error) {
      if (!mayAsk || signal.aborted) throw error;
    }
  }
  const brought = mayAsk ? await bring(signal) : undefined;
  if (!brought) {
    return explained(subjectOf(asked), question, () => {
      throw withoutProvenance();
    });
  }
  const signer = await check(options, question, brought);
  await keep(stored.gitDir, brought);
  return signer;
}

function check(
  { sandbox, limits, clock }: ProvenanceVerifierOptions,
  { stored, label, verification, asked, tenant, signal }: Question,
  provenance: Provenance,
): Promise<Signer> {
  const { gitDir, treeOid } = stored;
  const chart = { ...provenance, asked };
  const treeLimits = { ...limits, maxFileBytes: MAX_CHART_FILE_BYTES };
  const input = { chart, gitDir, treeOid, limits: treeLimits, verification, label, nowMs: clock.now() };
  return runVerifyProvenance(sandbox, input, { tenant, deadlineMs: limits.indexTimeoutMs, signal });
}

const MAX_CHART_FILE_BYTES = 1024 * 1024;
const FILE = 'provenance.json';

/** undefined: it was not kept, or cannot be read. */
async function readKept(gitDir: string): Promise<Provenance | undefined> {
  try {
    return JSON.parse(await readFile(join(gitDir, FILE), 'utf8')) as Provenance;
  } catch {
    return undefined;
  }
}

/** A file with its final name is complete, whenever the process was killed. */
async function keep(gitDir: string, provenance: Provenance): Promise<void> {
  const draft = join(gitDir, temporaryName());
  await writeFile(draft, JSON.stringify(provenance), { mode: 0o600 });
  await rename(draft, join(gitDir, FILE));
}
