/** A cluster with the definition of an older version of Tautline, which has no rules for the spec. */
import { at } from './scene.ts';
import type { World } from './world.ts';

const CRD = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/applications.tautline.dev';

/** Runs while the definition accepts any spec, and restores the rules afterwards. */
export async function withoutRules(world: World, run: () => Promise<void>): Promise<void> {
  const loose = (schema: unknown): void => {
    const spec = at(schema, 'properties', 'spec') as Record<string, unknown>;
    for (const key of Object.keys(spec)) delete spec[key];
    Object.assign(spec, { type: 'object', 'x-kubernetes-preserve-unknown-fields': true });
  };
  const strict = await world.read(CRD);
  const changed = structuredClone(strict);
  for (const version of at(changed, 'spec', 'versions') as unknown[]) loose(at(version, 'schema', 'openAPIV3Schema'));
  await world.send('PUT', CRD, changed);
  try {
    await untilAllowed(run);
  } finally {
    const now = await world.read(CRD);
    await world.send('PUT', CRD, { ...now, spec: strict?.['spec'] });
  }
}

/** The API server takes a moment to use a changed definition. */
async function untilAllowed(run: () => Promise<void>): Promise<void> {
  for (let triesLeft = 200; ; triesLeft--) {
    try {
      await run();
      return;
    } catch (error) {
      if (triesLeft === 0) throw error;
    }
  }
}
