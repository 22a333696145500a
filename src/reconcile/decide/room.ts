/**
 * Whether everything that a plan adds has room in the stored Application: its inventory, the records of its Jobs, and
 * the list of its namespaces. It is asked before the first effect, since an object that cannot be recorded must not be
 * created.
 */
import { isRunToCompletion, RECORD_BYTES } from '../../application/ended-jobs.ts';
import {
  annotationBytes,
  countThatFits,
  MAX_ANNOTATIONS_BYTES,
  roomForRecords,
  storedBytes,
} from '../../application/room.ts';
import { STATUS_LIMITS } from '../../application/status-schema.ts';
import { idKey, type ObjectId } from '../../object/identity.ts';
import type { KubeObject, Value } from '../../object/value.ts';
import { plannedIds, type Plan } from '../../plan/plan.ts';
import type { StageFailure } from '../../status/report.ts';
import type { Memory } from '../memory.ts';
import { encodeFor } from './inventory.ts';
import { parentMarks, type ParentQuestion } from './parent-marks.ts';

/** The Application that everything is recorded in. */
export interface Recording extends ParentQuestion {
  /** As it is stored. */
  readonly base: KubeObject;
  readonly memory: Pick<Memory, 'endedJobs' | 'inventory'>;
}

export interface RoomQuestion {
  readonly plan: Plan;
  /** By `idKey`: with the objects that this pass found to be its own. */
  readonly inventory: ReadonlyMap<string, ObjectId>;
  /** Whether it has more ids than at the start of the pass. */
  readonly isCompleted: boolean;
  readonly revision: string;
}

/** The refusal of what does not fit, with the number that would. undefined: everything fits. */
export function findExcess(recording: Recording, question: RoomQuestion): StageFailure | undefined {
  const { plan, inventory, isCompleted, revision } = question;
  const planned = plannedIds(plan);
  const added = planned.filter((id) => !inventory.has(idKey(id)));
  const ids = [...inventory.values(), ...added];
  const isWider = isCompleted || added.length > 0;
  const jobs = jobKeys(recording, planned);
  const excess =
    excessOfJobs(jobs) ??
    (isWider
      ? (excessOfNamespaces(recording, ids) ?? excessOfRecords(recording, { ids, inventory, jobs }))
      : undefined);
  if (excess === undefined) return undefined;
  const message =
    `nothing new of ${revision} is applied, since this Application is too large to be recorded: ${excess}; ` +
    'divide it into several Applications';
  return { stage: 'plan', code: 'TooLarge', retry: 'never', message };
}

/** By `idKey`: Jobs and bare Pods that have a record, or get one. */
function jobKeys({ memory }: Recording, planned: readonly ObjectId[]): Set<string> {
  const { ended, started } = memory.endedJobs;
  const recorded = [...(ended?.keys() ?? []), ...(started?.keys() ?? [])];
  return new Set([...recorded, ...planned.filter(isRunToCompletion).map(idKey)]);
}

function excessOfJobs(jobs: ReadonlySet<string>): string | undefined {
  const { maxFinished } = STATUS_LIMITS;
  if (jobs.size <= maxFinished) return undefined;
  return `it has ${jobs.size} Jobs and bare Pods, and ${maxFinished} of them fit into the status`;
}

function excessOfNamespaces(recording: Recording, ids: readonly ObjectId[]): string | undefined {
  const { annotations, namespaces } = parentMarks(recording, ids);
  const bytes = annotationBytes(recording.base, annotations);
  if (bytes <= MAX_ANNOTATIONS_BYTES) return undefined;
  const own = annotationBytes({ ...recording.base, metadata: {} }, annotations);
  const room = MAX_ANNOTATIONS_BYTES - (bytes - own);
  const fits = countThatFits(namespaces, { bytes: own, room });
  return (
    `its objects are in ${namespaces} other namespaces, whose list takes ${kib(own)} of the annotations of the ` +
    `Application, and ${kib(room)} are left for it; about ${fits} such namespaces fit`
  );
}

interface Records {
  readonly ids: readonly ObjectId[];
  readonly inventory: ReadonlyMap<string, ObjectId>;
  readonly jobs: ReadonlySet<string>;
}

function excessOfRecords(recording: Recording, { ids, inventory, jobs }: Records): string | undefined {
  const jobBytes = [...jobs].reduce((sum, key) => sum + key.length + RECORD_BYTES, 0);
  const room = roomForRecords(recording.base) - jobBytes;
  // Spares the encoding of an inventory that fits in any case.
  if (ids.reduce((sum, id) => sum + idKey(id).length + 1, 0) * WORST_ENCODING <= room) return undefined;
  const bytes = storedBytes(encodeFor(recording.memory.inventory, ids) as Value);
  if (bytes <= room) return undefined;
  const fits = countThatFits(ids.length, { bytes, room });
  const before = inventory.size > 0 ? ` (${inventory.size} of them applied before)` : '';
  return (
    `the ids of its ${ids.length} objects${before} take ${kib(bytes)} of the status, and ${kib(Math.max(0, room))} ` +
    `are left for them; about ${fits} such objects fit`
  );
}

/** Base64 makes four bytes of three. */
const WORST_ENCODING = 4 / 3;

function kib(bytes: number): string {
  return `${Math.ceil(bytes / 1024)} KiB`;
}
