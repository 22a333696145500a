/** The default field specs; a kustomization can add others (`configurations`, `crds`). */
import type { FieldSpec } from '../field-spec.ts';
import { COMMON_ANNOTATIONS, COMMON_LABELS, TEMPLATE_LABELS, VOLUME_CLAIM_TEMPLATE_LABELS } from './labels.ts';
import { NAME_REFERENCES, type NameReference } from './name-references.ts';
import { spec } from './pod-paths.ts';
import { VAR_REFERENCES } from './var-references.ts';

/** Field specs by the transformer that uses them; the names are those of a configuration file. */
export interface FieldSpecs {
  readonly namePrefix: readonly FieldSpec[];
  readonly nameSuffix: readonly FieldSpec[];
  readonly namespace: readonly FieldSpec[];
  readonly commonLabels: readonly FieldSpec[];
  /** For `labels` without selectors; empty unless configured. */
  readonly labels: readonly FieldSpec[];
  readonly templateLabels: readonly FieldSpec[];
  readonly volumeClaimTemplateLabels: readonly FieldSpec[];
  readonly commonAnnotations: readonly FieldSpec[];
  readonly nameReference: readonly NameReference[];
  readonly varReference: readonly FieldSpec[];
  readonly images: readonly FieldSpec[];
  readonly replicas: readonly FieldSpec[];
}

const create = true;

const IMAGE_PATHS = [
  'spec/containers[]/image',
  'spec/initContainers[]/image',
  'spec/volumes[]/image/reference',
  'spec/template/spec/containers[]/image',
  'spec/template/spec/initContainers[]/image',
  'spec/template/spec/volumes[]/image/reference',
  'spec/jobTemplate/spec/template/spec/volumes[]/image/reference',
];

export const DEFAULT_FIELD_SPECS: FieldSpecs = {
  namePrefix: [spec('metadata/name')],
  nameSuffix: [spec('metadata/name')],
  namespace: [
    spec('metadata/name', 'Namespace', { create }),
    spec('spec/service/namespace', 'APIService', { create, group: 'apiregistration.k8s.io' }),
    spec('spec/conversion/webhook/clientConfig/service/namespace', 'CustomResourceDefinition', {
      group: 'apiextensions.k8s.io',
    }),
  ],
  commonLabels: COMMON_LABELS,
  labels: [],
  templateLabels: TEMPLATE_LABELS,
  volumeClaimTemplateLabels: VOLUME_CLAIM_TEMPLATE_LABELS,
  commonAnnotations: COMMON_ANNOTATIONS,
  nameReference: NAME_REFERENCES,
  varReference: VAR_REFERENCES,
  images: IMAGE_PATHS.map((path) => spec(path, '', { create })),
  replicas: ['Deployment', 'ReplicationController', 'ReplicaSet', 'StatefulSet'].map((kind) => {
    return spec('spec/replicas', kind, { create });
  }),
};

export const NO_FIELD_SPECS: FieldSpecs = {
  namePrefix: [],
  nameSuffix: [],
  namespace: [],
  commonLabels: [],
  labels: [],
  templateLabels: [],
  volumeClaimTemplateLabels: [],
  commonAnnotations: [],
  nameReference: [],
  varReference: [],
  images: [],
  replicas: [],
};
