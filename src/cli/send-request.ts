/**
 * Sends a request to the agent: writes it as an annotation of the Application and waits for the answer in its status.
 *
 * Invariant: only the answer with the id of this request counts, and an unanswered request of another client is not
 * overwritten without `--replace`.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { REQUEST_ANNOTATION } from '../application/keys.ts';
import { formatRequest, parseRequest, type ApplicationRequest } from '../application/request.ts';
import type { LastRequest } from '../application/status-schema.ts';
import { annotationsOf } from '../object/identity.ts';
import { stringAt, type KubeObject } from '../object/value.ts';
import { RefusedError, type ApplicationName, type UserCluster } from '../cluster/user-cluster.ts';
import { readChoice, type Choice } from './application-name.ts';
import { factsOf, firstLine, summarise } from './application-facts.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { notFound } from './find-application.ts';
import { fail, withCluster, type Access, type ClusterFlags } from './with-cluster.ts';
import { print, printError } from './output.ts';

/**
 * Connects, and runs a command for several Applications at once; the code of the worst one is that of the command.
 * Names are checked before the first request.
 */
export async function forEachName(
  { names: texts, all, ...flags }: ClusterFlags & Choice,
  run: (access: Access, name: string, isOneOfSeveral: boolean) => Promise<ExitCode>,
): Promise<ExitCode> {
  const read = readChoice({ names: texts, all });
  if (!read.ok) return fail(read.problem, EXIT.misused);
  return withCluster(flags, async (access) => {
    const names = all ? await allNames(access) : read.names;
    const codes = await Promise.all(names.map((name) => run(access, name, names.length > 1)));
    return [EXIT.misused, EXIT.failed, EXIT.timedOut].find((code) => codes.includes(code)) ?? EXIT.done;
  });
}

/** Names of all Applications of the namespace, in their order. Throws RefusedError. */
export async function allNames({ cluster, namespace }: Access): Promise<readonly string[]> {
  const answer = await cluster.listApplications(namespace);
  if (!answer.ok) throw new RefusedError(answer.refusal.message);
  if (answer.value.length === 0) printError(`No applications in ${namespace}.\n`);
  return answer.value.map(({ metadata }) => String(metadata['name'])).sort();
}

/** A request without its id. */
export type RequestFields = ApplicationRequest extends infer R
  ? R extends { id: string }
    ? Omit<R, 'id'>
    : never
  : never;

export interface SendOptions {
  /** Name of the Application. */
  readonly name: string;
  readonly fields: RequestFields;
  /** Whether the request is about the deletion of the Application, and is answered by its end. */
  readonly isForDeletion?: boolean;
  /** Whether the answer is printed with the name of the Application. */
  readonly isOneOfSeveral?: boolean;
  /** Whether to replace a request that is not answered yet. */
  readonly replace: boolean;
  /** undefined: do not wait for the answer. */
  readonly timeoutMs: number | undefined;
}

/** A write fails if another writer, such as the agent, changed the Application meanwhile. */
const MAX_ATTEMPTS = 10;
/** A running agent takes up a request in less time. */
export const SILENCE_MS = 15_000;

/** Sends a request. Prints progress on stderr, and the message of the answer on stdout. */
export async function sendRequest({ cluster, namespace }: Access, options: SendOptions): Promise<ExitCode> {
  const request = { id: randomUUID(), ...options.fields } as ApplicationRequest;
  const text = formatRequest(request);
  const parsed = parseRequest(text);
  if (parsed && !parsed.ok) return fail(parsed.problem, EXIT.misused);
  const name = { namespace, name: options.name };
  const { replace, isForDeletion = false } = options;
  const problem = await writeRequest(cluster, { name, text, replace, isForDeletion });
  if (problem !== undefined) return fail(problem);
  if (options.timeoutMs === undefined) {
    print(`application.tautline.dev/${options.name}: ${request.action} requested\n`);
    return EXIT.done;
  }
  const { timeoutMs, isOneOfSeveral = false } = options;
  return awaitAnswer(cluster, { name, request, timeoutMs, isForDeletion, isOneOfSeveral });
}

interface Writing {
  readonly name: ApplicationName;
  readonly text: string;
  readonly replace: boolean;
  readonly isForDeletion: boolean;
}

/** Returns undefined if the request was written, otherwise a message that says why not. */
async function writeRequest(
  cluster: UserCluster,
  { name, text, replace, isForDeletion }: Writing,
): Promise<string | undefined> {
  for (let attempt = 1; ; attempt++) {
    const read = await cluster.readApplication(name);
    if (!read.ok) return read.refusal.message;
    if (!read.value) return notFound(cluster, name);
    if (isBeingDeleted(read.value) && !isForDeletion) return `the Application ${name.name} is being deleted`;
    const other = unansweredRequest(read.value);
    if (other && !replace) {
      return (
        `${name.name}: another request (${other.action}, id ${other.id}) is not answered yet; ` +
        'wait for its answer, or replace it with --replace'
      );
    }
    const answer = await cluster.annotate(read.value, REQUEST_ANNOTATION, text);
    if (answer.ok) return undefined;
    if (answer.refusal.code !== 'Modified' || attempt === MAX_ATTEMPTS) return answer.refusal.message;
    await sleep(50 * attempt);
  }
}

function isBeingDeleted(application: KubeObject): boolean {
  return stringAt(application.metadata, 'deletionTimestamp') !== undefined;
}

function unansweredRequest(application: KubeObject): ApplicationRequest | undefined {
  const parsed = parseRequest(annotationsOf(application)[REQUEST_ANNOTATION]);
  if (!parsed?.ok) return undefined;
  const { lastRequest } = factsOf(application).status;
  const isAnswered = lastRequest?.id === parsed.request.id && lastRequest.outcome !== 'InProgress';
  return isAnswered ? undefined : parsed.request;
}

interface Awaiting {
  readonly name: ApplicationName;
  readonly request: ApplicationRequest;
  readonly timeoutMs: number;
  readonly isForDeletion: boolean;
  readonly isOneOfSeveral: boolean;
}

async function awaitAnswer(
  cluster: UserCluster,
  { name, request, timeoutMs, isForDeletion, isOneOfSeveral }: Awaiting,
): Promise<ExitCode> {
  const deadline = AbortSignal.timeout(timeoutMs);
  const progress = createProgress(name.name);
  const silence = setTimeout(() => {
    printError(`${name.name}: no agent has taken up the request yet; check that the agent is running\n`);
  }, SILENCE_MS);
  try {
    for await (const application of cluster.followApplication(name, deadline)) {
      if (!application && isForDeletion) return done(`the Application ${name.name} is deleted`);
      if (!application) return fail(`the Application ${name.name} was deleted`);
      if (isBeingDeleted(application) && !isForDeletion) return fail(`the Application ${name.name} is being deleted`);
      const current = parseRequest(annotationsOf(application)[REQUEST_ANNOTATION]);
      const { lastRequest } = factsOf(application).status;
      if (lastRequest?.id === request.id) {
        clearTimeout(silence);
        if (lastRequest.outcome !== 'InProgress') return report(name.name, lastRequest, isOneOfSeveral);
      } else if (!current?.ok || current.request.id !== request.id) {
        return fail(`${name.name}: another request replaced this one before it was answered`);
      }
      progress(application);
    }
  } finally {
    clearTimeout(silence);
  }
  return fail(`${name.name}: no answer within the timeout; the agent goes on with the request`, EXIT.timedOut);
}

function report(name: string, { outcome, action, message = '' }: LastRequest, isOneOfSeveral: boolean): ExitCode {
  if (outcome !== 'Succeeded') return fail(`${name}: ${action ?? 'request'} ${outcome.toLowerCase()}: ${message}`);
  return done(isOneOfSeveral ? `${name}: ${message}` : message);
}

function done(message: string): ExitCode {
  print(`${message}\n`);
  return EXIT.done;
}

/** Returns a function that writes the summary of the Application to stderr whenever it has changed. */
export function createProgress(name: string): (application: KubeObject) => void {
  let last = '';
  return (application) => {
    const line = firstLine(summarise(factsOf(application)));
    if (line !== last) printError(`${name}: ${line}\n`);
    last = line;
  };
}
