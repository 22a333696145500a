/**
 * The health checks of the whole agent. They are read once, at the start, from a file that a ConfigMap brings. A
 * mistake in it ends the start: otherwise all Applications would be judged by other rules than their owners expect.
 */
import { open } from 'node:fs/promises';
import { readCheckList } from '../application/health-check-schema.ts';
import { nameOfCheck, type HealthCheck } from '../application/health-check.ts';
import { StageError } from '../object/stage-error.ts';
import { nodeToValue } from '../object/yaml/node.ts';
import { readYaml } from '../object/yaml/read.ts';
import { checksInSandbox, type CommonChecks, type HealthChecksPort } from './health-checks-job.ts';
import type { Sandbox } from './sandbox.ts';

const MAX_FILE_BYTES = 1024 * 1024;
const YAML_LIMITS = { maxNodes: 10_000, maxDepth: 10 };

/** Rejects as `readHealthChecksFile`. */
export async function openHealthChecks(sandbox: Sandbox, path: string): Promise<HealthChecksPort & CommonChecks> {
  const port = checksInSandbox(sandbox);
  return { ...port, common: await readHealthChecksFile(path, port) };
}

/** `path` is empty if there is no file. Rejects with StageError HealthCheckInvalid, or one of the sandbox. */
export async function readHealthChecksFile(
  path: string,
  { read }: Pick<HealthChecksPort, 'read'>,
): Promise<readonly HealthCheck[]> {
  if (path === '') return [];
  const yaml = readYaml(await readBounded(path), YAML_LIMITS);
  if (!yaml.ok) throw invalid(path, 'it is no YAML');
  const root = yaml.documents[0]?.root;
  const list = readCheckList(root === undefined ? [] : nodeToValue(root));
  if (!list.ok) throw invalid(path, list.problem);
  const { checks } = list;
  const [first] = await read(checks, { tenant: '' });
  const check = first && checks[first.index];
  if (!check) return checks;
  throw invalid(path, `the expression ${first.field} of the check for ${nameOfCheck(check)}: ${first.message}`);
}

async function readBounded(path: string): Promise<string> {
  try {
    await using file = await open(path, 'r');
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_FILE_BYTES + 1));
    if (bytesRead > MAX_FILE_BYTES) throw invalid(path, `it exceeds ${MAX_FILE_BYTES} bytes`);
    return buffer.toString('utf8', 0, bytesRead);
  } catch (error) {
    if (error instanceof StageError) throw error;
    throw invalid(path, String((error as { code?: unknown }).code ?? 'unknown error'));
  }
}

function invalid(path: string, reason: string): StageError {
  return new StageError({
    stage: 'health',
    code: 'HealthCheckInvalid',
    retry: 'never',
    message: `The health checks of the agent (--health-checks) cannot be read from ${path}: ${reason}. Correct the file.`,
  });
}
