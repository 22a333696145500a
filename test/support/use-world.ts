/**
 * The set-up of a test file in one line: `useWorld` and the functions beside it start something before the first test
 * of the file and stop it after the last one.
 *
 * Invariant: a handle is created at the top of a file and used inside tests and hooks only; reading a property earlier
 * throws an error that says so. The steps of a set-up run one after the other, in the order in which they are
 * registered (hooks of node:test at the top of a file all begin at once), and are undone in the opposite order.
 */
import { after, before } from 'node:test';
import { startControlPlane, type ControlPlane, type ControlPlaneOptions } from '../control-plane/control-plane.ts';
import type { AgentOptions, RunningAgent } from './agent.ts';
import { startWorld, type World, type WorldOptions } from './world.ts';

// One process runs one test file, so these belong to that file.
const owned = new AsyncDisposableStack();
let lastStep: Promise<void> = Promise.resolve();

/** Runs a step of the set-up once all earlier ones are done. The tests wait for it, and fail if it fails. */
export function prepare(step: () => Promise<unknown>): void {
  const earlier = lastStep;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  lastStep = promise;
  // The hook below reports an error; this only keeps it from counting as unhandled when no later step awaits it.
  promise.catch(() => undefined);
  before(async () => {
    try {
      await earlier;
      await step();
      resolve();
    } catch (error) {
      reject(error);
      throw error;
    }
  });
}

/** Makes a value that need not be stopped. `name` appears in the error of a handle that is read too early. */
export function usePrepared<T extends object>(name: string, make: () => Promise<T>): T {
  let made: T | undefined;
  prepare(async () => {
    made = await make();
  });
  return handleTo(name, () => made);
}

/** Starts a value that can be disposed of, and disposes of it after the last test. */
export function useStarted<T extends AsyncDisposable>(name: string, start: () => Promise<T>): T {
  // The first of these hooks stops everything; the others have no effect.
  after(() => owned.disposeAsync());
  return usePrepared(name, async () => owned.use(await start()));
}

/** Default: etcd and the API server only. */
export function useControlPlane(options: ControlPlaneOptions = { mode: 'api-server-only' }): ControlPlane {
  return useStarted('the control plane', () => startControlPlane(options));
}

export interface UseWorldOptions extends WorldOptions {
  /** `true` for an agent with default flags; or a function that starts the agent once the world has started. */
  readonly agent?: true | Partial<AgentOptions> | ((world: World) => Promise<RunningAgent>);
}

/** A world and, if the options name one, an agent in it. */
export function useWorld(options: WorldOptions & Required<Pick<UseWorldOptions, 'agent'>>): {
  readonly world: World;
  readonly agent: RunningAgent;
};
export function useWorld(options?: WorldOptions): { readonly world: World };
export function useWorld({ agent, ...options }: UseWorldOptions = {}): {
  readonly world: World;
  readonly agent?: RunningAgent;
} {
  const world = useStarted('the world', () => startWorld(options));
  if (agent === undefined) return { world };
  // The world stops the agents that were started in it.
  const running = usePrepared('the agent', () =>
    typeof agent === 'function' ? agent(world) : world.agent(agent === true ? {} : agent),
  );
  return { world, agent: running };
}

/** Stands for a value that does not exist yet. Methods are bound to the value, so that they need no `this`. */
function handleTo<T extends object>(name: string, read: () => T | undefined): T {
  const started = (key: PropertyKey): T => {
    const value = read();
    if (value) return value;
    throw new Error(
      `${name} has not started: read .${String(key)} inside a test or a hook, not at the top of the file`,
    );
  };
  return new Proxy({} as T, {
    get(_target, key) {
      const value = started(key);
      const property: unknown = Reflect.get(value, key);
      return typeof property === 'function' ? property.bind(value) : property;
    },
    set: (_target, key, property) => Reflect.set(started(key), key, property),
  });
}
