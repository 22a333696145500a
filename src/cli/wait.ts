/**
 * `tautline wait NAME…`: waits until all of these Applications are Ready, Synced or Healthy.
 *
 * Invariant: a state that only a person can change ends the wait immediately, with the reason.
 */
import type { UserCluster } from '../cluster/user-cluster.ts';
import { formatId } from '../object/identity.ts';
import { readChoice, type Choice } from './application-name.ts';
import { factsOf, summarise, type ApplicationFacts } from './application-facts.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { notFound } from './find-application.ts';
import { allNames, createProgress, SILENCE_MS } from './send-request.ts';
import { fail, withCluster, type ClusterFlags } from './with-cluster.ts';
import { print, printError } from './output.ts';

export type WaitFor = 'ready' | 'synced' | 'healthy';

export interface WaitCommand extends ClusterFlags, Choice {
  readonly for: WaitFor;
  readonly timeoutMs: number;
}

const NO_AGENT = 'no agent has looked at it yet; check that the agent is running';

const IS_REACHED: Readonly<Record<WaitFor, (facts: ApplicationFacts) => boolean>> = {
  ready: ({ ready }) => ready?.status === 'True',
  synced: ({ status }) => status.sync?.status === 'Synced',
  healthy: ({ status }) => status.health?.status === 'Healthy',
};

export function runWait(command: WaitCommand): Promise<ExitCode> {
  const read = readChoice(command);
  if (!read.ok) return Promise.resolve(fail(read.problem, EXIT.misused));
  return withCluster(command, async (access) => {
    const { cluster, namespace } = access;
    const names = command.all ? await allNames(access) : read.names;
    const deadline = AbortSignal.timeout(command.timeoutMs);
    const failed = new AbortController();
    const signal = AbortSignal.any([deadline, failed.signal]);
    const codes = await Promise.all(
      names.map(async (name) => {
        const code = await waitForOne(cluster, { namespace, name, wanted: command.for, signal, deadline });
        // The command fails if one of them fails, so the others need not be waited for.
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
  let last: ApplicationFacts | undefined;
  const silence = setTimeout(() => {
    if (last && (!last.isCurrent || !last.ready)) printError(`${name}: ${NO_AGENT}\n`);
  }, SILENCE_MS);
  silence.unref();
  for await (const application of cluster.followApplication({ namespace, name }, signal)) {
    if (!application && last) return fail(`the Application ${name} was deleted`);
    if (!application) return fail(await notFound(cluster, { namespace, name }));
    last = factsOf(application);
    if (last.isCurrent && IS_REACHED[wanted](last)) {
      print(`application.tautline.dev/${name} is ${wanted}\n`);
      return EXIT.done;
    }
    const obstacle = obstacleOf(last, wanted);
    if (obstacle !== undefined) return fail(`${name} ${obstacle}`);
    progress(application);
  }
  // The wait for another Application has failed and has printed the reason.
  if (!deadline.aborted) return EXIT.done;
  return fail(`${name} is not ${wanted} within the timeout${last ? `: ${summarise(last)}` : ''}`, EXIT.timedOut);
}

/** A state that does not change by itself, as the end of a sentence that begins with the name. */
function obstacleOf(facts: ApplicationFacts, wanted: WaitFor): string | undefined {
  const { isCurrent, stalled, spec, metadata } = facts;
  if (metadata.deletionTimestamp !== undefined) return 'is being deleted';
  if (!isCurrent) return undefined;
  if (stalled) return `is stalled (${stalled.reason}): ${stalled.message}`;
  const job = failedJobOf(facts, wanted);
  if (job !== undefined) return `cannot become ${wanted}: ${job}`;
  return spec?.suspend ? 'is suspended: set spec.suspend to false to resume it' : undefined;
}

/** A failed Job stays failed until Git has another one. A Job that is still to be written may yet succeed. */
function failedJobOf({ status, ready }: ApplicationFacts, wanted: WaitFor): string | undefined {
  const isAsked = wanted === 'healthy' || (wanted === 'ready' && ready?.reason === 'HealthCheckFailed');
  if (!isAsked || ready?.reason === 'Progressing') return undefined;
  const job = status.resources?.find(
    ({ group, kind, health, sync }) =>
      group === 'batch' && kind === 'Job' && health === 'Degraded' && sync === 'Synced',
  );
  return job && `${formatId(job)} has failed${job.message === undefined ? '' : `: ${job.message}`}`;
}
