/**
 * The operations that read objects of the cluster: one object, its Events, the log of a Pod. Each is read with the
 * token of the caller, so the API server decides what is shown.
 *
 * Invariant: a caller who may get the Application and not the object sees which fields differ, and not their values.
 */
import { inTurns } from '../../cluster/concurrency.ts';
import { createKindFinder } from '../../cluster/kinds.ts';
import type { Hub } from '../../cluster/ports.ts';
import { idKey } from '../../object/identity.ts';
import { stringAt } from '../../object/value.ts';
import type { LiveObject } from '../../cluster/live.ts';
import type { ObjectStatus } from '../../status/object-status.ts';
import { refuse } from '../refuse.ts';
import { aboutOf, EVENTS, eventSelector, viewEvent } from './event-view.ts';
import { differenceText, shownDesired, shownObject } from './object-text.ts';
import { refuseAs } from './refuse-answer.ts';
import { readableApplication } from './readable-application.ts';
import type { Handlers, UserCall } from './router.ts';
import type { ApplicationIndex } from './rows.ts';
import type { ObjectDetail } from './schema.ts';
import { hideValues, viewObject } from './views.ts';
import { treeOf } from './tree.ts';
import { viewPlan } from './plan.ts';
import { sendJson, writeEach, writeJson } from './write-json.ts';

export interface ObjectHandlerOptions {
  readonly applications: ApplicationIndex;
  readonly hub: Pick<Hub, 'kinds' | 'asCaller'>;
  /** Whether this process renders the Applications. Otherwise it knows only what their status tells. Default: true. */
  readonly knowsDesired?: boolean;
}

const NO_PLAN = 'this agent has made no such plan: request a sync with dryRun: true, and wait for its answer';
const PLAN_OF_AGENT =
  'the plan is in the memory of the agent, which this page does not reach: "tautline diff NAME" makes one';
const FIELDS_OF_AGENT =
  'The fields that differ are in the memory of the agent, which this page does not reach. This shows them:';
const MAX_EVENTS = 100;
const MAX_LINE_CHARS = 4_096;

export function createObjectHandlers({
  applications,
  hub,
  knowsDesired = true,
}: ObjectHandlerOptions): Pick<Handlers, 'getObject' | 'getTree' | 'getPlan'> {
  const differenceOf = ({ fields, sync }: ObjectStatus, { namespace, name }: UserCall): string => {
    if (knowsDesired || sync !== 'OutOfSync') return differenceText(fields);
    return `${FIELDS_OF_AGENT}\n\n  tautline diff ${name} -n ${namespace}\n`;
  };
  return {
    async getObject(call) {
      const application = await readableApplication(call, applications);
      if (!application) return;
      const { caller, query, response } = call;
      const status = application.view?.objects.find(({ id }) => idKey(id) === idKey(query));
      if (!status) return refuse(response, 404, 'the Application has no such object', 'NoObject');
      const kind = createKindFinder(await hub.kinds())(query);
      const isKnown = kind !== undefined && kind !== 'unavailable';
      const read = isKnown ? await hub.asCaller(caller.token).get(kind, query) : undefined;
      const view = viewObject(status);
      const desired = application.desiredOf(query);
      const answer: ObjectDetail = read?.ok
        ? {
            ...view,
            ...liveOf(read.object, desired?.isSealed === true),
            ...(desired ? { desired: shownDesired(desired) } : {}),
            difference: differenceOf(status, call),
          }
        : {
            ...hideValues(view),
            liveRefusal: read ? read.refusal.message : 'the API server does not serve its kind',
            difference: '',
          };
      sendJson(response, [writeJson(answer)]);
    },

    async getTree(call) {
      const application = await readableApplication(call, applications);
      if (!application) return;
      const client = hub.asCaller(call.caller.token);
      const objects = application.view?.objects ?? [];
      const { nodes, notes } = await treeOf({ objects, kinds: await hub.kinds(), client });
      const texts = await inTurns(writeEach(nodes, writeJson));
      sendJson(call.response, ['{"nodes":[', ...texts, `],"notes":${writeJson([...notes])}}`]);
    },

    async getPlan(call) {
      const application = await readableApplication(call, applications);
      if (!application) return;
      const { trial } = application;
      const isAsked = trial && (call.query.request === undefined || call.query.request === trial.request);
      if (!isAsked) return refuse(call.response, 404, knowsDesired ? NO_PLAN : PLAN_OF_AGENT, 'NoPlan');
      sendJson(call.response, [writeJson(viewPlan(trial))]);
    },
  };
}

/** Events and logs, which belong to no version of an Application. */
export function createReportHandlers({
  applications,
  hub,
}: ObjectHandlerOptions): Pick<Handlers, 'listEvents' | 'readLog'> {
  return {
    async listEvents(call) {
      if (!(await readableApplication(call, applications))) return;
      const { caller, query, response } = call;
      const { group, kind, namespace, name } = query;
      const answer = await hub.asCaller(caller.token).listBySelector(EVENTS, {
        namespace: namespace || 'default',
        fieldSelector: eventSelector({ kind, name }),
        limit: MAX_EVENTS,
      });
      if (!answer.ok) return refuseAs(response, answer.refusal);
      // The field selector knows the kind and the name; other groups may have a kind of that name.
      const wanted = idKey({ group, kind, namespace, name });
      const events = answer.objects.filter(({ body }) => idKey(aboutOf(body)) === wanted).map(viewEvent);
      events.sort((a, b) => (b.lastAt ?? '').localeCompare(a.lastAt ?? ''));
      sendJson(response, [writeJson({ events })]);
    },

    async readLog(call) {
      if (!(await readableApplication(call, applications))) return;
      const { caller, query, response } = call;
      const { namespace, pod, container, previous, lines } = query;
      const question = { namespace, pod, container, isPrevious: previous === 'true', lines };
      const answer = await hub.asCaller(caller.token).readLog(question);
      if (!answer.ok) return refuseAs(response, answer.refusal);
      const read = answer.text.replace(/\n$/, '').split('\n').slice(-lines);
      sendJson(response, [writeJson({ lines: read.map((line) => line.slice(0, MAX_LINE_CHARS)) })]);
    },
  };
}

function liveOf(object: LiveObject | undefined, isSealed: boolean): Partial<ObjectDetail> {
  if (!object) return {};
  const createdAt = stringAt(object.body.metadata, 'creationTimestamp');
  return {
    apiVersion: object.apiVersion,
    uid: object.uid,
    ...(createdAt === undefined ? {} : { createdAt }),
    live: shownObject(object.body, isSealed),
  };
}
