/**
 * Watches objects on the API server itself, past the proxy and the agent: which uids live, which were deleted, and how
 * many Jobs were created for a manifest.
 *
 * Invariant: a deletion of a protected uid is recorded, also while the watch is interrupted: then a new list shows it.
 */
import { EventEmitter, once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { at } from '../support/scene.ts';

/** The annotation by which a trial names the manifest of a Job: each value may run once. */
export const MANIFEST_ANNOTATION = 'example.com/manifest';

export interface Witness extends AsyncDisposable {
  /** From now on a deletion of this uid is a loss for this holder, under this name. */
  protect(holder: string, uid: string, name: string): void;
  /** Ends the protection of an object before a deletion that is wanted. */
  release(holder: string, name: string): void;
  /** The losses of a holder since its last end of protection. */
  lossesOf(holder: string): string[];
  /** The losses of a holder; ends all its protections. */
  endProtection(holder: string): string[];
  /** Resolves when an Application with one of these paths is written, or after the time. */
  untilWritten(paths: readonly string[], waitMs: number): Promise<void>;
  /** By `namespace/name manifest`: the uids of the Jobs that were created. */
  readonly jobRuns: ReadonlyMap<string, ReadonlySet<string>>;
}

interface Protection {
  readonly holder: string;
  readonly name: string;
}

interface WatchedObject {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly manifest: string | undefined;
}

const APPLICATIONS = '/apis/tautline.dev/v1alpha1/applications';
const COLLECTIONS = ['/api/v1/configmaps', '/apis/batch/v1/jobs', APPLICATIONS];

export async function startWitness(plane: Pick<ControlPlane, 'url' | 'caFile' | 'adminToken'>): Promise<Witness> {
  const agent = new Agent({ ca: await readFile(plane.caFile), keepAlive: true });
  const stopping = new AbortController();
  const protections = new Map<string, Protection>();
  const losses = new Map<string, Set<string>>();
  const jobRuns = new Map<string, Set<string>>();
  const writes = new EventEmitter().setMaxListeners(0);

  const noteDeleted = (uid: string): void => {
    const found = protections.get(uid);
    if (!found) return;
    protections.delete(uid);
    losses.set(found.holder, (losses.get(found.holder) ?? new Set()).add(found.name));
  };
  const noteAdded = ({ uid, namespace, name, manifest }: WatchedObject): void => {
    if (manifest === undefined) return;
    const key = `${namespace}/${name} ${manifest}`;
    jobRuns.set(key, (jobRuns.get(key) ?? new Set()).add(uid));
  };
  const open = (path: string): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${plane.adminToken}` };
      const outgoing = request(new URL(path, plane.url), { agent, headers, signal: stopping.signal });
      outgoing.once('response', resolve).once('error', reject).end();
    });
  const noteWritten = ({ namespace, name }: WatchedObject): void =>
    void writes.emit(`/apis/tautline.dev/v1alpha1/namespaces/${namespace}/applications/${name}`);
  const follow = (collection: string): Promise<void> => {
    const noteModified = collection === APPLICATIONS ? noteWritten : () => undefined;
    return followCollection({ collection, open, signal: stopping.signal, noteAdded, noteModified, noteDeleted });
  };
  const following = COLLECTIONS.map((collection) => follow(collection).catch(() => undefined));
  return {
    protect: (holder, uid, name) => void protections.set(uid, { holder, name }),
    release(holder, name) {
      for (const [uid, found] of protections)
        if (found.holder === holder && found.name === name) protections.delete(uid);
    },
    lossesOf: (holder) => [...(losses.get(holder) ?? [])],
    endProtection(holder) {
      for (const [uid, found] of protections) if (found.holder === holder) protections.delete(uid);
      const lost = [...(losses.get(holder) ?? [])];
      losses.delete(holder);
      return lost;
    },
    async untilWritten(paths, waitMs) {
      const waiting = new AbortController();
      const first = (path: string): Promise<unknown> => once(writes, path, { signal: waiting.signal });
      const timer = sleep(waitMs, undefined, { signal: waiting.signal });
      const all = [timer, ...paths.map(first)].map((wait) => wait.catch(() => undefined));
      await Promise.race(all);
      waiting.abort();
    },
    jobRuns,
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await Promise.all(following);
      agent.destroy();
    },
  };
}

interface Following {
  readonly collection: string;
  readonly open: (path: string) => Promise<IncomingMessage>;
  readonly signal: AbortSignal;
  readonly noteAdded: (object: WatchedObject) => void;
  readonly noteModified: (object: WatchedObject) => void;
  readonly noteDeleted: (uid: string) => void;
}

/** Lists and watches in turns until the signal. Each list also tells what the watch before it has not told. */
async function followCollection(following: Following): Promise<void> {
  const { collection, open, signal, noteAdded, noteModified, noteDeleted } = following;
  let known = new Set<string>();
  while (!signal.aborted) {
    try {
      const list: unknown = JSON.parse(await readAll(await open(collection)));
      const listed = (at(list, 'items') as unknown[]).map(readObject);
      const uids = new Set(listed.map(({ uid }) => uid));
      for (const uid of known) if (!uids.has(uid)) noteDeleted(uid);
      for (const object of listed) noteAdded(object);
      known = uids;
      const from = String(at(list, 'metadata', 'resourceVersion'));
      for await (const event of linesOf(await open(`${collection}?watch=1&resourceVersion=${from}`))) {
        const object = readObject(at(event, 'object'));
        const type = at(event, 'type');
        if (type === 'DELETED') known.delete(object.uid);
        if (type === 'DELETED') noteDeleted(object.uid);
        if (type === 'MODIFIED') noteModified(object);
        if (type === 'ADDED') known.add(object.uid);
        if (type === 'ADDED') noteAdded(object);
      }
    } catch {
      await sleep(100);
    }
  }
}

function readObject(object: unknown): WatchedObject {
  const manifest = at(object, 'metadata', 'annotations', MANIFEST_ANNOTATION);
  return {
    uid: String(at(object, 'metadata', 'uid')),
    namespace: String(at(object, 'metadata', 'namespace')),
    name: String(at(object, 'metadata', 'name')),
    manifest: manifest === undefined ? undefined : String(manifest),
  };
}

async function readAll(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

async function* linesOf(response: IncomingMessage): AsyncIterable<unknown> {
  let rest = '';
  response.setEncoding('utf8');
  for await (const chunk of response as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line) yield JSON.parse(line) as unknown;
  }
}
