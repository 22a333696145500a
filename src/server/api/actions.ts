/**
 * The actions: each is a request in an annotation of the Application, or a change of its spec, written with the token
 * of the caller. So Kubernetes decides who may do it, and its audit log names the person.
 *
 * Invariant: a request that is not answered yet is not replaced unless the caller asks for that.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Response } from 'express';
import { REQUEST_ANNOTATION } from '../../application/keys.ts';
import { parseApplication } from '../../application/parse.ts';
import { formatRequest, parseRequest, type ApplicationRequest } from '../../application/request.ts';
import type { Hub } from '../../cluster/ports.ts';
import { annotationsOf } from '../../object/identity.ts';
import { cleanText } from '../../object/printable.ts';
import { stringAt, type KubeObject, type ValueMap } from '../../object/value.ts';
import { refuse } from '../refuse.ts';
import { refuseAs } from './refuse-answer.ts';
import { NO_APPLICATION, type Handlers, type UserCall } from './router.ts';
import { sendJson, writeJson } from './write-json.ts';

type Actions = 'refresh' | 'sync' | 'confirmPrune' | 'rollback' | 'release' | 'takeOver' | 'suspend' | 'resume';

/** A request without its id. */
type Wish = ApplicationRequest extends infer R ? (R extends { id: string } ? Omit<R, 'id'> : never) : never;

/** A write fails if another writer, such as the agent, changed the Application meanwhile. */
const MAX_ATTEMPTS = 8;
const PAUSE_MS = 25;

export function createActionHandlers(hub: Pick<Hub, 'asCaller'>): Pick<Handlers, Actions> {
  /** `replace` is no part of the request. Each action is one line here, and one operation in operations.ts. */
  const ask = async (call: UserCall, { replace, ...wish }: Wish & { readonly replace: boolean }): Promise<void> => {
    const request = { id: randomUUID(), ...wish } as ApplicationRequest;
    const text = formatRequest(request);
    const parsed = parseRequest(text);
    if (parsed?.ok === false) return refuse(call.response, 400, parsed.problem, 'InvalidBody');
    const isWritten = await change(call, hub, (application) => {
      const other = replace ? undefined : unansweredRequest(application);
      if (other) return { code: 'RequestPending', problem: pending(other) };
      return { patch: { metadata: { annotations: { [REQUEST_ANNOTATION]: text } } } };
    });
    if (isWritten) sendJson(call.response, [writeJson({ id: request.id, action: request.action })], 202);
  };
  const setSuspended = async (call: UserCall, suspend: boolean): Promise<void> => {
    const isWritten = await change(call, hub, () => ({ patch: { spec: { suspend } } }));
    if (isWritten) sendJson(call.response, [writeJson({ suspended: suspend })]);
  };
  return {
    refresh: (call) => ask(call, { action: 'refresh', ...call.body }),
    sync: (call) => ask(call, { action: 'sync', ...call.body }),
    confirmPrune: (call) => ask(call, { action: 'confirm-prune', ...call.body }),
    // The request names its author, so that status does.
    rollback: (call) => ask(call, { action: 'rollback', by: nameOf(call), ...call.body }),
    release: (call) => ask(call, { action: 'release', ...call.body }),
    takeOver: (call) => ask(call, { action: 'take-over', ...call.body }),
    suspend: (call) => setSuspended(call, true),
    resume: (call) => setSuspended(call, false),
  };
}

const MAX_NAME_CHARS = 256;

function nameOf({ caller }: UserCall): string {
  return cleanText(caller.user.username, MAX_NAME_CHARS);
}

type Change = { readonly patch: ValueMap } | { readonly code: string; readonly problem: string };

/** Reads the Application and patches it as the caller. false: the request has been answered with a refusal. */
async function change(
  { caller, namespace, name, response }: UserCall,
  hub: Pick<Hub, 'asCaller'>,
  toChange: (application: KubeObject) => Change,
): Promise<boolean> {
  const client = hub.asCaller(caller.token);
  for (let attempt = 1; ; attempt++) {
    const read = await client.readApplication({ namespace, name });
    if (!read.ok) return refused(() => refuseAs(response, read.refusal));
    if (!read.object) return refused(() => refuse(response, 404, NO_APPLICATION));
    const { body } = read.object;
    if (read.object.deletionTimestamp !== undefined) return conflict(response, 'BeingDeleted', BEING_DELETED);
    const wanted = toChange(body);
    if ('problem' in wanted) return conflict(response, wanted.code, wanted.problem);
    const answer = await client.patchApplication(body, wanted.patch);
    if (answer.ok) return true;
    if (answer.refusal.code !== 'Modified' || attempt === MAX_ATTEMPTS) {
      return refused(() => refuseAs(response, answer.refusal));
    }
    await sleep(PAUSE_MS * attempt);
  }
}

const BEING_DELETED = 'the Application is being deleted';

function refused(tell: () => void): false {
  tell();
  return false;
}

function conflict(response: Response, code: string, problem: string): false {
  return refused(() => refuse(response, 409, problem, code));
}

function pending({ action, id }: ApplicationRequest): string {
  return `another request (${action}, id ${id}) is not answered yet: wait for its answer, or send replace: true`;
}

function unansweredRequest(application: KubeObject): ApplicationRequest | undefined {
  const asked = parseRequest(annotationsOf(application)[REQUEST_ANNOTATION]);
  if (!asked?.ok || stringAt(application.metadata, 'name') === undefined) return undefined;
  const parsed = parseApplication(application);
  const { lastRequest } = (parsed.ok ? parsed.application : parsed).status;
  const isAnswered = lastRequest?.id === asked.request.id && lastRequest.outcome !== 'InProgress';
  return isAnswered ? undefined : asked.request;
}
