/** The release that a chart of an Application makes, in the agent and on a person's machine. */
import type { Application } from '../../application/schema.ts';
import type { Release } from '../../render/needs.ts';

export function releaseOf({ metadata, spec }: Pick<Application, 'metadata' | 'spec'>): Release {
  return { name: metadata.name, namespace: spec.destination.namespace ?? metadata.namespace };
}
