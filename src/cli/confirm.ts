/**
 * `tautline confirm NAME`: lists the objects of a held prune, asks, and waits until they are deleted.
 *
 * Invariant: exactly the shown prune is confirmed. The request names its digest, and the agent refuses any other.
 */
import { createInterface } from 'node:readline/promises';
import type { StoredStatus } from '../application/schema.ts';
import type { HeldPruneStatus } from '../application/status-schema.ts';
import { formatId } from '../object/identity.ts';
import { printable } from '../object/printable.ts';
import type { KubeObject } from '../object/value.ts';
import { readRevision } from '../source/revision.ts';
import { factsOf, firstLine } from './application-facts.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { forOne } from './find-application.ts';
import { sendRequest, type RequestFields } from './send-request.ts';
import { fail, type Access, type ClusterFlags } from './with-cluster.ts';
import { printError } from './output.ts';

export interface ConfirmCommand extends ClusterFlags {
  readonly name: string;
  /** Confirm without a question. */
  readonly yes: boolean;
  readonly replace: boolean;
  /** undefined: do not wait for the answer. */
  readonly timeoutMs: number | undefined;
}

export function runConfirm(command: ConfirmCommand): Promise<ExitCode> {
  return forOne(command, (access, application) => confirm(access, application, command));
}

async function confirm(
  access: Access,
  application: KubeObject,
  { yes, replace, timeoutMs }: ConfirmCommand,
): Promise<ExitCode> {
  const { metadata, spec, status, ready } = factsOf(application);
  const { name } = metadata;
  const isForDeletion = metadata.deletionTimestamp !== undefined;
  const held = status.pruneGuard?.held;
  if (!held && !isForDeletion) return fail(`${name}: no prune waits for a confirmation`);
  const question = held && !isForDeletion ? `Delete ${countOf(held.objects)}?` : `Delete ${name} with its objects?`;
  printError(held && !isForDeletion ? listHeld(status, held) : `${firstLine(ready?.message ?? '')}\n`);
  if (!yes && !process.stdin.isTTY) return fail('there is no terminal to ask on: add --yes to confirm', EXIT.misused);
  if (!yes && !(await ask(question))) return fail('not confirmed; nothing is deleted');
  const isManual = spec?.sync.mode === 'manual';
  const fields = held ? confirmationOf(held, isManual && !isForDeletion) : BARE;
  return sendRequest(access, { name, replace, timeoutMs, fields, isForDeletion });
}

const BARE: RequestFields = { action: 'confirm-prune' };

/** In mode manual the next pass would compare the newest commit again, so the request names the held one. */
export function confirmationOf({ digest, revision }: HeldPruneStatus, isManual: boolean): RequestFields {
  const commit = isManual ? readRevision(revision)?.commit : undefined;
  return { action: 'confirm-prune', digest, ...(commit === undefined ? {} : { revision: commit }) };
}

/** The objects of a held prune, one a line. Status names at most 50 objects. */
export function listHeld({ resources = [] }: StoredStatus, { objects, revision }: HeldPruneStatus): string {
  const left = resources.filter(({ message = '' }) => message.startsWith('left Git; waits for a confirmation'));
  const lines = left.slice(0, objects).map((resource) => `  - ${printable(formatId(resource))}\n`);
  const more = objects - lines.length;
  if (more > 0) lines.push(lines.length > 0 ? `  … and ${countOf(more)} more\n` : `  ${countOf(more)}\n`);
  return `At ${printable(revision)} these objects left Git, and would be deleted:\n${lines.join('')}`;
}

function countOf(count: number): string {
  return count === 1 ? '1 object' : `${count} objects`;
}

async function ask(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}
