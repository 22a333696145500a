/** Reads objects of many kinds as a watch delivers them, with one request for each kind. */
import { readFile } from 'node:fs/promises';
import { Agent, request } from 'undici';
import type { KindInfo } from '../src/cluster/kinds.ts';
import type { LiveObject } from '../src/cluster/live.ts';
import { idKey, type ObjectId } from '../src/object/identity.ts';
import { parseJson } from '../src/object/json.ts';
import { mapAt, stringAt } from '../src/object/value.ts';
import { liveOf, pathOf } from '../test/cluster/diff/api.ts';
import type { ControlPlane } from '../test/control-plane/control-plane.ts';

const OURS = encodeURIComponent('applyset.kubernetes.io/part-of');

/** Reads all objects of these kinds that have an owner label. The keys are those of `watchedKey`. */
export async function readWatched(
  plane: ControlPlane,
  kinds: Iterable<KindInfo>,
): Promise<ReadonlyMap<string, LiveObject>> {
  const dispatcher = new Agent({ allowH2: false, connect: { ca: await readFile(plane.caFile, 'utf8') } });
  const objects = new Map<string, LiveObject>();
  try {
    for (const kind of kinds) {
      for await (const object of watchUntilComplete(plane, dispatcher, kind))
        objects.set(watchedKey(kind, object.id), object);
    }
  } finally {
    await dispatcher.destroy();
  }
  return objects;
}

/** The key contains the version, since a kind that is served in two versions is watched in both. */
export function watchedKey({ version }: KindInfo, id: ObjectId): string {
  return `${version} ${idKey(id)}`;
}

async function* watchUntilComplete(plane: ControlPlane, dispatcher: Agent, kind: KindInfo): AsyncGenerator<LiveObject> {
  const options = 'watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
  const path = pathOf(kind, { namespace: '', name: '' });
  const { statusCode, body } = await request(`${plane.url}${path}?${options}&labelSelector=${OURS}`, {
    dispatcher,
    headers: { authorization: `Bearer ${plane.adminToken}` },
  });
  if (statusCode !== 200) throw new Error(`cannot watch ${path}: ${statusCode} ${await body.text()}`);
  let rest = '';
  body.setEncoding('utf8');
  for await (const chunk of body) {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const event = parseJson(line);
      // The API server sends a bookmark after the last object of the initial list.
      if (stringAt(event, 'type') === 'BOOKMARK') return;
      yield liveOf({ code: statusCode, body: mapAt(event, 'object') });
    }
  }
}
