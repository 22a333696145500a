/** Where the kinds that run pods keep the pod's spec: what many tables of field specs are made from. */
import type { FieldSpec } from '../field-spec.ts';

/** Path of the pod spec by kind. */
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

/** One spec; what is left out matches everything, and nothing is created. */
export function spec(
  path: string,
  kind = '',
  rest: Partial<Pick<FieldSpec, 'group' | 'version' | 'create'>> = {},
): FieldSpec {
  return { group: '', version: '', create: false, ...rest, kind, path };
}

/** A spec for every kind and every path below its pod spec. */
export function podSpecs(kinds: readonly PodKind[], paths: readonly string[]): FieldSpec[] {
  return kinds.flatMap((kind) => paths.map((path) => spec(`${POD_SPECS[kind]}/${path}`, kind)));
}
