/** The cluster, the agent and the repository that the attackers of `npm run bench -- tenants` act upon. */
import type { RunningAgent } from '../test/support/agent.ts';
import type { TestRepository } from '../test/support/git-repository.ts';
import type { ApplicationHandle, World } from '../test/support/world.ts';

export interface Scene {
  readonly world: World;
  readonly agent: RunningAgent;
  /** The repository of the victim, which the attackers may read, too. */
  readonly sharedRepository: TestRepository;
}

/** Begins an attack and returns the function that ends it. */
export type Attack = (scene: Scene) => Promise<() => Promise<void>>;

export function configMap(name: string, data: Readonly<Record<string, string>> = {}): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data });
}

interface Many {
  readonly namespaces: readonly string[];
  /** In each namespace. */
  readonly count: number;
  readonly specOf: (n: number) => Record<string, unknown>;
}

/** Applications that are declared at once. */
const AT_ONCE = 8;

/** Returns the function that deletes them. */
export async function declareMany(world: World, { namespaces, count, specOf }: Many): Promise<() => Promise<void>> {
  const declared: ApplicationHandle[] = [];
  for (const namespace of namespaces) {
    let next = 0;
    const declareRest = async (): Promise<void> => {
      for (let n = next++; n < count; n = next++) {
        declared.push(await world.declare(`attacker-${n}`, specOf(n), namespace));
      }
    };
    // The first one makes the namespace.
    declared.push(await world.declare(`attacker-${next++}`, specOf(0), namespace));
    await Promise.all(Array.from({ length: AT_ONCE }, declareRest));
  }
  return async () => {
    for (const application of declared) await application.remove();
  };
}
