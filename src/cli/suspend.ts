/**
 * `tautline suspend NAME…` and `resume NAME…`: set spec.suspend, and wait until the agent has taken it up.
 *
 * Invariant: the end of the wait is about the spec that this command wrote, and not about an earlier one.
 */
import type { Choice } from './application-name.ts';
import { factsOf, type ApplicationFacts } from './application-facts.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { findApplication } from './find-application.ts';
import { forEachName, SILENCE_MS } from './send-request.ts';
import { fail, type Access, type ClusterFlags } from './with-cluster.ts';
import { print, printError } from './output.ts';

export interface SuspendCommand extends ClusterFlags, Choice {
  readonly isSuspended: boolean;
  /** undefined: do not wait for the agent. */
  readonly timeoutMs: number | undefined;
}

export function runSuspend(command: SuspendCommand): Promise<ExitCode> {
  const { isSuspended, timeoutMs } = command;
  return forEachName(command, (access, name) => setSuspended(access, { name, isSuspended, timeoutMs }));
}

interface Setting {
  readonly name: string;
  readonly isSuspended: boolean;
  readonly timeoutMs: number | undefined;
}

export async function setSuspended(access: Access, setting: Setting): Promise<ExitCode> {
  const { name, isSuspended, timeoutMs } = setting;
  const { cluster, namespace } = access;
  const found = await findApplication(access, name);
  if (!found.ok) return fail(found.problem);
  const { metadata, spec } = factsOf(found.application);
  const word = isSuspended ? 'suspended' : 'resumed';
  if (metadata.deletionTimestamp !== undefined) return fail(`the Application ${name} is being deleted`);
  if (spec?.suspend === isSuspended) {
    print(`application.tautline.dev/${name} is ${isSuspended ? 'already suspended' : 'not suspended'}\n`);
    return EXIT.done;
  }
  const written = await cluster.setSuspended({ namespace, name }, isSuspended);
  if (!written.ok) return fail(`${name} cannot be ${word}: ${written.refusal.message}`);
  if (timeoutMs !== undefined) {
    const { generation } = factsOf(written.value).metadata;
    const code = await untilTakenUp(access, { name, isSuspended, generation, timeoutMs });
    if (code !== EXIT.done) return code;
  }
  print(`application.tautline.dev/${name} ${word}\n`);
  return EXIT.done;
}

interface Awaited {
  readonly name: string;
  readonly isSuspended: boolean;
  /** That of the spec as it was written. */
  readonly generation: number | undefined;
  readonly timeoutMs: number;
}

async function untilTakenUp(
  { cluster, namespace }: Access,
  { name, isSuspended, generation, timeoutMs }: Awaited,
): Promise<ExitCode> {
  const silence = setTimeout(() => {
    printError(`${name}: no agent has taken up the change yet; check that the agent is running\n`);
  }, SILENCE_MS);
  try {
    for await (const application of cluster.followApplication({ namespace, name }, AbortSignal.timeout(timeoutMs))) {
      if (!application) return fail(`the Application ${name} was deleted`);
      const facts = factsOf(application);
      const isOurs = facts.spec === undefined || facts.spec.suspend === isSuspended;
      if (!isOurs) return fail(`${name}: another client has set spec.suspend to ${String(!isSuspended)} meanwhile`);
      if (isTakenUp(facts, { isSuspended, generation })) return EXIT.done;
    }
  } finally {
    clearTimeout(silence);
  }
  const problem = 'the agent has not taken up the change within the timeout; spec.suspend stays as it was set';
  return fail(`${name}: ${problem}`, EXIT.timedOut);
}

/** Whether the status is about the spec that was written, or about a newer one. */
function isTakenUp(
  { status, ready }: ApplicationFacts,
  { isSuspended, generation = 0 }: Pick<Awaited, 'isSuspended' | 'generation'>,
): boolean {
  if (ready === undefined || (status.observedGeneration ?? 0) < generation) return false;
  return (ready.reason === 'Suspended') === isSuspended;
}
