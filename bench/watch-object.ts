/** Watches one object over HTTP and records when each state arrived. Benchmarks measure with it. */
import { readFile } from 'node:fs/promises';
import { Agent, request } from 'undici';
import type { ControlPlane } from '../test/control-plane/control-plane.ts';

export interface SeenObject {
  readonly data?: Readonly<Record<string, string>>;
}

export interface ObjectWatch extends AsyncDisposable {
  /**
   * Waits until the object fulfils the condition. Returns the time of that state in monotonic milliseconds. States
   * before the one that the last call returned are not considered.
   */
  until(holds: (object: SeenObject | undefined) => boolean): Promise<number>;
}

interface Sighting {
  readonly atMs: number;
  readonly object: SeenObject | undefined;
}

/** `path` is the API path of the object. Resolves when the watch is open. */
export async function watchObject(plane: ControlPlane, path: string): Promise<ObjectWatch> {
  const slash = path.lastIndexOf('/');
  const [collection, name] = [path.slice(0, slash), path.slice(slash + 1)];
  const dispatcher = new Agent({
    allowH2: false,
    bodyTimeout: 0,
    connect: { ca: await readFile(plane.caFile, 'utf8') },
  });
  const query = `watch=1&fieldSelector=metadata.name%3D${name}&timeoutSeconds=120`;
  const { body } = await request(`${plane.url}${collection}?${query}`, {
    dispatcher,
    headers: { authorization: `Bearer ${plane.adminToken}` },
  });
  const sightings: Sighting[] = [];
  let wake = (): void => undefined;
  let rest = '';
  body.setEncoding('utf8');
  body.on('error', () => undefined);
  body.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const event = JSON.parse(line) as { type: string; object: SeenObject };
      sightings.push({ atMs: performance.now(), object: event.type === 'DELETED' ? undefined : event.object });
    }
    wake();
  });
  return {
    async until(holds) {
      for (;;) {
        for (let seen = sightings[0]; seen; seen = sightings[0]) {
          if (holds(seen.object)) return seen.atMs;
          sightings.shift();
        }
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
    async [Symbol.asyncDispose]() {
      body.destroy();
      await dispatcher.destroy();
    },
  };
}
