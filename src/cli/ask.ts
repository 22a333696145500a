/**
 * A request to an Application, from its annotation to its answer. Invariant: only the answer to this very id counts,
 * and a request of somebody else that is not answered yet is not overwritten unasked.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { REQUEST_ANNOTATION } from '../application/keys.ts';
import { formatRequest, parseRequest, type ApplicationRequest } from '../application/request.ts';
import type { LastRequest } from '../application/status-schema.ts';
import { annotationsOf } from '../object/identity.ts';
import { stringAt, type KubeObject } from '../object/value.ts';
import type { ApplicationName, UserCluster } from '../cluster/user-cluster.ts';
import { firstLine, summarise, tell } from './application-words.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { noSuch } from './get.ts';
import { fail, type Access } from './with-cluster.ts';

/** A request without its id. */
export type Wish = ApplicationRequest extends infer R ? (R extends { id: string } ? Omit<R, 'id'> : never) : never;

export interface Asking {
  readonly name: string;
  readonly wish: Wish;
  /** Take the place of a request that is not answered yet. */
  readonly replace: boolean;
  /** Absent: do not wait for the answer. */
  readonly timeoutMs: number | undefined;
}

/** Of writes that lost against another writer, mostly the agent's status. */
const MAX_ATTEMPTS = 10;
/** An agent that runs answers sooner. */
const SILENCE_MS = 15_000;

/** Asks, tells on stderr what happens, and prints the answer's message on stdout. */
export async function ask({ cluster, namespace }: Access, asking: Asking): Promise<ExitCode> {
  const request = { id: randomUUID(), ...asking.wish } as ApplicationRequest;
  const text = formatRequest(request);
  const parsed = parseRequest(text);
  if (parsed && !parsed.ok) return fail(parsed.problem, EXIT.misused);
  const name = { namespace, name: asking.name };
  const problem = await writeRequest(cluster, { name, text, replace: asking.replace });
  if (problem !== undefined) return fail(problem);
  if (asking.timeoutMs === undefined) {
    process.stdout.write(`application.tautline.dev/${asking.name}: ${request.action} requested\n`);
    return EXIT.done;
  }
  return awaitAnswer(cluster, { name, request, timeoutMs: asking.timeoutMs });
}

interface Writing {
  readonly name: ApplicationName;
  readonly text: string;
  readonly replace: boolean;
}

/** What stands in the way, for people; undefined: it is written. */
async function writeRequest(cluster: UserCluster, { name, text, replace }: Writing): Promise<string | undefined> {
  for (let attempt = 1; ; attempt++) {
    const read = await cluster.readApplication(name);
    if (!read.ok) return read.refusal.message;
    if (!read.value) return noSuch(name.namespace, name.name);
    if (isGoing(read.value)) return `the Application ${name.name} is being deleted`;
    const unanswered = unansweredOf(read.value);
    if (unanswered !== undefined && !replace) {
      return `${unanswered} is not answered yet; wait for it, or take its place with --replace`;
    }
    const answer = await cluster.annotate(read.value, REQUEST_ANNOTATION, text);
    if (answer.ok) return undefined;
    if (answer.refusal.code !== 'Modified' || attempt === MAX_ATTEMPTS) return answer.refusal.message;
    await sleep(50 * attempt);
  }
}

function isGoing(application: KubeObject): boolean {
  return stringAt(application.metadata, 'deletionTimestamp') !== undefined;
}

function unansweredOf(application: KubeObject): string | undefined {
  const parsed = parseRequest(annotationsOf(application)[REQUEST_ANNOTATION]);
  if (!parsed?.ok) return undefined;
  const { id, action } = parsed.request;
  const { lastRequest } = tell(application).status;
  const isAnswered = lastRequest?.id === id && lastRequest.outcome !== 'InProgress';
  return isAnswered ? undefined : `a request of somebody else (${action}, id ${id})`;
}

interface Awaiting {
  readonly name: ApplicationName;
  readonly request: ApplicationRequest;
  readonly timeoutMs: number;
}

async function awaitAnswer(cluster: UserCluster, { name, request, timeoutMs }: Awaiting): Promise<ExitCode> {
  const deadline = AbortSignal.timeout(timeoutMs);
  const progress = createProgress(name.name);
  const silence = setTimeout(() => {
    process.stderr.write(`${name.name}: nobody has taken up the request yet; does the agent run?\n`);
  }, SILENCE_MS);
  try {
    for await (const application of cluster.followApplication(name, deadline)) {
      if (!application) return fail(`the Application ${name.name} was deleted`);
      if (isGoing(application)) return fail(`the Application ${name.name} is being deleted`);
      const current = parseRequest(annotationsOf(application)[REQUEST_ANNOTATION]);
      const { lastRequest } = tell(application).status;
      if (lastRequest?.id === request.id) {
        clearTimeout(silence);
        if (lastRequest.outcome !== 'InProgress') return report(name.name, lastRequest);
      } else if (!current?.ok || current.request.id !== request.id) {
        return fail('another request took the place of this one before it was answered');
      }
      progress(application);
    }
  } finally {
    clearTimeout(silence);
  }
  return fail(`no answer to the request within the time given; it goes on without this command`, EXIT.timedOut);
}

function report(name: string, { outcome, action, message = '' }: LastRequest): ExitCode {
  if (outcome !== 'Succeeded') return fail(`${name}: ${action ?? 'request'} ${outcome.toLowerCase()}: ${message}`);
  process.stdout.write(`${message}\n`);
  return EXIT.done;
}

/** Writes a line on stderr whenever what an Application says of itself has changed. */
export function createProgress(name: string): (application: KubeObject) => void {
  let last = '';
  return (application) => {
    const line = firstLine(summarise(tell(application)));
    if (line !== last) process.stderr.write(`${name}: ${line}\n`);
    last = line;
  };
}
