/** The path of the pod spec in each kind that runs pods, and helpers for the tables of field specs. */
import type { FieldSpec } from '../field-spec.ts';

export const POD_SPECS = {
  Pod: 'spec',
  PodTemplate: 'template/spec',
  Deployment: 'spec/template/spec',
  ReplicaSet: 'spec/template/spec',
  ReplicationController: 'spec/template/spec',
  DaemonSet: 'spec/template/spec',
  StatefulSet: 'spec/template/spec',
  Job: 'spec/template/spec',
  CronJob: 'spec/jobTemplate/spec/template/spec',
} as const;

export type PodKind = keyof typeof POD_SPECS;

/** One field spec. By default it matches every kind, group and version, and missing fields are not created. */
export function spec(
  path: string,
  kind = '',
  rest: Partial<Pick<FieldSpec, 'group' | 'version' | 'create'>> = {},
): FieldSpec {
  return { group: '', version: '', create: false, ...rest, kind, path };
}

/** A field spec for each kind and each path below its pod spec. */
export function podSpecs(kinds: readonly PodKind[], paths: readonly string[]): FieldSpec[] {
  return kinds.flatMap((kind) => paths.map((path) => spec(`${POD_SPECS[kind]}/${path}`, kind)));
}
