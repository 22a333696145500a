/**
 * Objects with the marks of an Application that does not exist any more: its finalizer was removed by hand, or the
 * objects were restored from a backup into another cluster. Nothing but a request of a person frees them.
 *
 * Invariant: without that request they are only reported. With it, objects of this cluster's own Applications are taken
 * over only if a GET by name proves that their Application does not exist. About an Application of another hub nothing
 * can be proven here, so for it the request itself is the proof.
 */
import { API_VERSION } from '../../application/keys.ts';
import { howToTakeOver } from '../../application/request.ts';
import { agentIdentity } from '../../cluster/identity.ts';
import { kindKey } from '../../cluster/kinds.ts';
import type { Hub } from '../../cluster/ports.ts';
import type { Change } from '../../diff/changes.ts';
import {
  APPLICATION_GROUP,
  APPLICATION_KIND,
  parseOwner,
  readOwnership,
  type ApplicationRef,
  type Owner,
} from '../../object/applyset.ts';

export interface TakeOverQuestion {
  readonly changes: readonly Change[];
  /** The marks of this Application. */
  readonly owner: Owner;
  readonly hub: Pick<Hub, 'as' | 'hubId' | 'kinds'>;
  /** Whether the agent knows an Application, by `namespace/name`. */
  readonly isKnown: (key: string) => boolean;
  /** Whether a request to take over is carried out. */
  readonly isAsked: boolean;
}

/** Turns conflicts with Applications that do not exist into adoptions, or tells how to request that. */
export async function takeOver(question: TakeOverQuestion): Promise<readonly Change[]> {
  const { changes, isAsked, owner } = question;
  const proofs = new Map<string, Promise<boolean>>();
  const isGone = (annotation: string, ref: ApplicationRef): Promise<boolean> => {
    const known = proofs.get(annotation) ?? isProvenGone(question, ref);
    proofs.set(annotation, known);
    return known;
  };
  return Promise.all(
    changes.map(async (change): Promise<Change> => {
      // A conflict with a claim of a living Application shows no live object.
      const marks = change.type === 'conflict' && change.live ? readOwnership(change.live.body, owner) : undefined;
      const ref = marks?.type === 'application' ? parseOwner(marks.annotation) : undefined;
      if (marks?.type !== 'application' || !ref) return change;
      if (isAsked && (await isGone(marks.annotation, ref))) {
        return {
          ...change,
          type: 'adopt',
          takenFrom: marks.annotation,
          reason: `taken over from ${ref.namespace}/${ref.name}`,
        };
      }
      const hint = hintOf(question, ref);
      return hint === undefined ? change : { ...change, reason: `${change.reason ?? 'conflict'}, ${hint}` };
    }),
  );
}

function hintOf(
  { hub, isKnown, owner }: TakeOverQuestion,
  { hubId, namespace, name }: ApplicationRef,
): string | undefined {
  const howTo = howToTakeOver(parseOwner(owner.ownerAnnotation));
  if (hubId !== hub.hubId) {
    return `which belongs to another cluster or agent; if none manages the object any more, ${howTo}`;
  }
  return isKnown(`${namespace}/${name}`) ? undefined : `which does not exist any more; ${howTo}`;
}

async function isProvenGone({ hub }: TakeOverQuestion, { hubId, namespace, name }: ApplicationRef): Promise<boolean> {
  if (hubId !== hub.hubId) return true;
  const kind = (await hub.kinds()).served.get(kindKey(API_VERSION, APPLICATION_KIND));
  if (!kind) return false;
  const id = { group: APPLICATION_GROUP, kind: APPLICATION_KIND, namespace, name };
  const answer = await hub.as(agentIdentity).get(kind, id);
  return answer.ok && answer.object === undefined;
}
