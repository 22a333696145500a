/** A running sync as steps: the waves that the manifests declare, or else all objects as one step. */
import type { ObjectView } from '../../server/api/schema.ts';
import { toneOfObject, worstOf, type Tone } from './words.ts';

export interface Step {
  /** `Wave 2`, `Before the sync, wave 0`, or `All objects`. */
  readonly title: string;
  readonly total: number;
  /** Objects that are Synced and well. */
  readonly done: number;
  /** Objects that wait for an earlier step. */
  readonly waiting: number;
  readonly tone: Tone;
  /** The reason why the step is not done; empty if there is nothing to tell. */
  readonly message: string;
}

type Member = Pick<ObjectView, 'sync' | 'health' | 'message' | 'pruning' | 'phase' | 'wave'>;

const PHASES: Readonly<Record<string, string>> = { PreSync: 'Before the sync', PostSync: 'After the sync' };
const ORDER = ['PreSync', 'Sync', 'PostSync'];

export function stepsOf(objects: readonly Member[]): Step[] {
  const members = objects.filter(({ pruning }) => !pruning);
  const waves = Map.groupBy(members, ({ phase = 'Sync', wave = 0 }) => `${ORDER.indexOf(phase)} ${wave}`);
  const sorted = [...waves].map(([key, inWave]) => ({ place: key.split(' ').map(Number), inWave }));
  sorted.sort((a, b) => (a.place[0] ?? 0) - (b.place[0] ?? 0) || (a.place[1] ?? 0) - (b.place[1] ?? 0));
  return sorted.map(({ inWave }) => stepOf(inWave, sorted.length === 1));
}

function stepOf(members: readonly Member[], isOnly: boolean): Step {
  const [{ phase = 'Sync', wave = 0 } = {}] = members;
  const isDone = (member: Member): boolean => ['ok', 'suspended'].includes(toneOfObject(member));
  const done = members.filter(isDone).length;
  const waiting = members.filter(({ message = '' }) => message.startsWith('waits:')).length;
  const open = members.find((member) => !isDone(member));
  return {
    title: isOnly ? 'All objects' : `${PHASES[phase] ? `${PHASES[phase]}, wave` : 'Wave'} ${wave}`,
    total: members.length,
    done,
    waiting,
    tone: waiting > 0 && waiting + done === members.length ? 'unknown' : worstOf(members.map(toneOfObject)),
    message: open ? (open.message ?? open.health.message) : '',
  };
}
