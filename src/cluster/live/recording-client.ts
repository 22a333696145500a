/** A client whose writes go into Live as they are answered, so that no write is mistaken for somebody else's. */
import type { ObjectId } from '../../object/identity.ts';
import { stringAt } from '../../object/value.ts';
import type { KindInfo } from '../kinds.ts';
import type { LiveObject } from '../live.ts';
import type { ClusterClient, WriteAnswer } from '../ports.ts';

/** What an answer to a write tells of the object; undefined: nothing. */
export type Written = LiveObject | 'gone' | undefined;

/** Says that a write begins; the function returned takes in its answer. */
export type BeginWrite = (kind: KindInfo, id: ObjectId) => (written: Written) => void;

export function recordWrites<Client extends ClusterClient>(client: Client, beginWrite: BeginWrite): Client {
  async function recorded(kind: KindInfo, id: ObjectId, write: () => Promise<WriteAnswer>): Promise<WriteAnswer> {
    const end = beginWrite(kind, id);
    let object: LiveObject | undefined;
    try {
      const answer = await write();
      if (answer.ok) object = answer.object;
      return answer;
    } finally {
      end(object);
    }
  }
  return {
    ...client,
    apply(request) {
      if (request.dryRun) return client.apply(request);
      const { kind, body } = request;
      const id = {
        group: kind.group,
        kind: kind.kind,
        namespace: kind.namespaced ? (stringAt(body.metadata, 'namespace') ?? '') : '',
        name: stringAt(body.metadata, 'name') ?? '',
      };
      return recorded(kind, id, () => client.apply(request));
    },
    takeOver: (kind, live) => recorded(kind, live.id, () => client.takeOver(kind, live)),
    async remove(request) {
      if (request.dryRun) return client.remove(request);
      const end = beginWrite(request.kind, request.id);
      let isGone = false;
      try {
        const answer = await client.remove(request);
        isGone = answer.ok && answer.outcome === 'gone';
        return answer;
      } finally {
        end(isGone ? 'gone' : undefined);
      }
    },
    release: (kind, live) => recorded(kind, live.id, () => client.release(kind, live)),
  };
}
