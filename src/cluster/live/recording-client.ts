/** A client that puts the answers of its writes into the live store, so that their echo is not taken for a change. */
import type { ObjectId } from '../../object/identity.ts';
import { stringAt } from '../../object/value.ts';
import type { KindInfo } from '../kinds.ts';
import type { LiveObject } from '../live.ts';
import type { ClusterClient, WriteAnswer } from '../ports.ts';

/** The object after a write, as far as the answer shows it; undefined: the answer does not show it. */
export type WriteOutcome = LiveObject | 'gone' | undefined;

/** Announces a write. The returned function ends it and records its outcome. */
export type BeginWrite = (kind: KindInfo, id: ObjectId) => (outcome: WriteOutcome) => void;

export function recordWrites<Client extends ClusterClient>(client: Client, beginWrite: BeginWrite): Client {
  async function recorded(kind: KindInfo, id: ObjectId, write: () => Promise<WriteAnswer>): Promise<WriteAnswer> {
    const endWrite = beginWrite(kind, id);
    let object: LiveObject | undefined;
    try {
      const answer = await write();
      if (answer.ok) object = answer.object;
      return answer;
    } finally {
      endWrite(object);
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
        namespace: kind.isNamespaced ? (stringAt(body.metadata, 'namespace') ?? '') : '',
        name: stringAt(body.metadata, 'name') ?? '',
      };
      return recorded(kind, id, () => client.apply(request));
    },
    takeOver: (kind, live) => recorded(kind, live.id, () => client.takeOver(kind, live)),
    moveGoneVersions: (kind, live, goneVersion) =>
      recorded(kind, live.id, () => client.moveGoneVersions(kind, live, goneVersion)),
    takeFields: (kind, live, fields) => recorded(kind, live.id, () => client.takeFields(kind, live, fields)),
    release: (kind, live, to) => recorded(kind, live.id, () => client.release(kind, live, to)),
    async remove(request) {
      if (request.dryRun) return client.remove(request);
      const endWrite = beginWrite(request.kind, request.id);
      let isGone = false;
      try {
        const answer = await client.remove(request);
        isGone = answer.ok && answer.outcome === 'gone';
        return answer;
      } finally {
        endWrite(isGone ? 'gone' : undefined);
      }
    },
  };
}
