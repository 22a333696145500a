/** `tautline events NAME`: Events of an Application, of its objects and of what they own, the newest last. */
import type { ClusterClient } from '../cluster/ports.ts';
import { compareTexts, formatId, idKey, type ObjectId } from '../object/identity.ts';
import { printable } from '../object/printable.ts';
import type { Value } from '../object/value.ts';
import { aboutOf, EVENTS, eventSelector, viewEvent } from '../server/api/event-view.ts';
import type { EventView } from '../server/api/schema.ts';
import { idOfApplication, objectsOf, readTree } from './application-tree.ts';
import { dataText } from './data-text.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { forOne } from './find-application.ts';
import { formatAge, formatTable } from './table.ts';
import type { ClusterFlags } from './with-cluster.ts';
import { print, printError, printNotes } from './output.ts';

export interface EventsCommand extends ClusterFlags {
  readonly name: string;
  /** The newest ones are shown. */
  readonly limit: number;
  readonly output: 'table' | 'json' | 'yaml';
  readonly hasHeaders: boolean;
}

export interface ObjectEvent extends EventView {
  /** The object that it is about. */
  readonly object: ObjectId;
}

export interface FoundEvents {
  /** The newest last. */
  readonly events: readonly ObjectEvent[];
  /** For people: what could not be read, and why. */
  readonly notes: readonly string[];
}

const MAX_NAMESPACES = 20;
/** Events of one namespace that are looked through. */
const MAX_OF_NAMESPACE = 2_000;
/** Events of one object. */
const MAX_OF_OBJECT = 100;
/** Where a Kubernetes component writes Events about a cluster-scoped object. */
const NAMESPACE_OF_CLUSTER = 'default';

export function runEvents(command: EventsCommand): Promise<ExitCode> {
  const { limit, output, hasHeaders } = command;
  return forOne(command, async (access, application) => {
    const { nodes, notes } = await readTree(access, objectsOf(application));
    const found = await readEvents(access.cluster.client, [idOfApplication(application), ...nodes]);
    const shown = found.events.slice(-limit);
    if (output !== 'table') print(dataText(shown as unknown as Value, output));
    else if (shown.length > 0) print(eventTable(shown, { now: Date.now(), hasHeaders }));
    else
      printError(`There is no Event about ${command.name} or its objects. The API server keeps Events for a time.\n`);
    const isCut = shown.length < found.events.length;
    printNotes([
      ...notes,
      ...found.notes,
      ...(isCut ? [`${found.events.length - shown.length} older Events are not shown: see --limit`] : []),
    ]);
    return EXIT.done;
  });
}

type EventClient = Pick<ClusterClient, 'listBySelector'>;

/** Events about these objects, by one list for each of their namespaces. */
export async function readEvents(client: EventClient, ids: readonly ObjectId[]): Promise<FoundEvents> {
  const wanted = new Set(ids.map(idKey));
  const namespaces = [...new Set(ids.map(({ namespace }) => namespace || NAMESPACE_OF_CLUSTER))];
  const notes: string[] = [];
  if (namespaces.length > MAX_NAMESPACES) {
    notes.push(`only the Events of ${MAX_NAMESPACES} of ${namespaces.length} namespaces were read`);
  }
  const events: ObjectEvent[] = [];
  for (const namespace of namespaces.slice(0, MAX_NAMESPACES)) {
    const answer = await client.listBySelector(EVENTS, { namespace, limit: MAX_OF_NAMESPACE });
    if (!answer.ok) {
      notes.push(`Events in ${namespace} are not shown: ${answer.refusal.message}`);
      continue;
    }
    if (answer.objects.length === MAX_OF_NAMESPACE) {
      notes.push(`only ${MAX_OF_NAMESPACE} Events in ${namespace} were looked through`);
    }
    for (const { body } of answer.objects) {
      const object = aboutOf(body);
      if (wanted.has(idKey(object))) events.push({ object, ...viewEvent({ body }) });
    }
  }
  return { events: newestLast(events), notes };
}

/** Events about a few objects, by one list for each of them. */
export async function readEventsOf(client: EventClient, ids: readonly ObjectId[]): Promise<FoundEvents> {
  const notes: string[] = [];
  const events: ObjectEvent[] = [];
  for (const id of ids) {
    const namespace = id.namespace || NAMESPACE_OF_CLUSTER;
    const question = { namespace, fieldSelector: eventSelector(id), limit: MAX_OF_OBJECT };
    const answer = await client.listBySelector(EVENTS, question);
    if (!answer.ok) {
      notes.push(`Events about ${formatId(id)} are not shown: ${answer.refusal.message}`);
      continue;
    }
    const about = answer.objects.filter(({ body }) => idKey(aboutOf(body)) === idKey(id));
    for (const event of about) events.push({ object: id, ...viewEvent(event) });
  }
  return { events: newestLast(events), notes };
}

function newestLast(events: ObjectEvent[]): ObjectEvent[] {
  const timeOf = ({ lastAt = '' }: ObjectEvent): number => Date.parse(lastAt) || 0;
  return events.sort((a, b) => timeOf(a) - timeOf(b) || compareTexts(a.message, b.message));
}

export interface EventTable {
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly hasHeaders: boolean;
}

export function eventTable(events: readonly ObjectEvent[], { now, hasHeaders }: EventTable): string {
  const rows = events.map(({ lastAt, type, reason, object, count, message }) => {
    const at = Date.parse(lastAt ?? '');
    const age = Number.isNaN(at) ? '-' : formatAge(now - at);
    const cells = [count > 1 ? `${age} (x${count})` : age, type, reason, formatId(object), message.trim()];
    return cells.map((cell) => printable(cell) || '-');
  });
  return formatTable(hasHeaders ? ['LAST SEEN', 'TYPE', 'REASON', 'OBJECT', 'MESSAGE'] : undefined, rows);
}
