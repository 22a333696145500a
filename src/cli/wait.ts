/**
 * `tautline wait NAME…`: until every one of them is Ready, Synced or Healthy. Invariant: what can only be mended by a
 * person ends the wait at once, with the reason.
 */
import type { UserCluster } from '../cluster/user-cluster.ts';
import { summarise, tell, type Told } from './application-words.ts';
import { createProgress } from './ask.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { noSuch } from './get.ts';
import { fail, withCluster, type ClusterFlags } from './with-cluster.ts';

export type WaitFor = 'ready' | 'synced' | 'healthy';

export interface WaitCommand extends ClusterFlags {
  readonly names: readonly string[];
  readonly for: WaitFor;
  readonly timeoutMs: number;
}

const HOLDS: Readonly<Record<WaitFor, (told: Told) => boolean>> = {
  ready: ({ ready }) => ready?.status === 'True',
  synced: ({ status }) => status.sync?.status === 'Synced',
  healthy: ({ status }) => status.health?.status === 'Healthy',
};

export function runWait(command: WaitCommand): Promise<ExitCode> {
  return withCluster(command, async ({ cluster, namespace }) => {
    const deadline = AbortSignal.timeout(command.timeoutMs);
    const failed = new AbortController();
    const signal = AbortSignal.any([deadline, failed.signal]);
    const codes = await Promise.all(
      [...new Set(command.names)].map(async (name) => {
        const code = await waitForOne(cluster, { namespace, name, wanted: command.for, signal, deadline });
        // One that cannot come right is an answer for all of them.
        if (code === EXIT.failed) failed.abort();
        return code;
      }),
    );
    return [EXIT.failed, EXIT.timedOut].find((code) => codes.includes(code)) ?? EXIT.done;
  });
}

interface Waiting {
  readonly namespace: string;
  readonly name: string;
  readonly wanted: WaitFor;
  readonly signal: AbortSignal;
  readonly deadline: AbortSignal;
}

async function waitForOne(cluster: UserCluster, waiting: Waiting): Promise<ExitCode> {
  const { namespace, name, wanted, signal, deadline } = waiting;
  const progress = createProgress(name);
  let last: Told | undefined;
  for await (const application of cluster.followApplication({ namespace, name }, signal)) {
    if (!application) return fail(last ? `the Application ${name} was deleted` : noSuch(namespace, name));
    last = tell(application);
    if (last.isCurrent && HOLDS[wanted](last)) {
      process.stdout.write(`application.tautline.dev/${name} is ${wanted}\n`);
      return EXIT.done;
    }
    const hopeless = hopelessOf(last);
    if (hopeless !== undefined) return fail(`${name} ${hopeless}`);
    progress(application);
  }
  // Another one has failed, and has said why.
  if (!deadline.aborted) return EXIT.done;
  return fail(`${name} is not ${wanted} within the time given${last ? `: ${summarise(last)}` : ''}`, EXIT.timedOut);
}

function hopelessOf({ isCurrent, stalled, spec, metadata }: Told): string | undefined {
  if (metadata.deletionTimestamp !== undefined) return 'is being deleted';
  if (!isCurrent) return undefined;
  if (stalled) return `is stalled (${stalled.reason}): ${stalled.message}`;
  return spec?.suspend ? 'is suspended (spec.suspend): nothing changes until it is resumed' : undefined;
}
