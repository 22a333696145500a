/**
 * Objects as Argo CD and Flux leave them in a cluster: their resource, its CRD, and objects with their field manager,
 * labels and annotations. The controllers do not run; their documentation says how they behave.
 */

import { definition } from '../support/objects.ts';

export interface ForeignTool {
  /** The CRD of `resource`, applied first. */
  readonly definition: unknown;
  readonly resource: unknown;
  readonly manager: string;
  /** Labels and annotations that the tool adds to each object. */
  readonly marks: { readonly labels?: Record<string, string>; readonly annotations?: Record<string, string> };
}

export const ARGO_CD: ForeignTool = {
  definition: definition({ group: 'argoproj.io', version: 'v1alpha1', kind: 'Application' }),
  resource: {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: 'shop', namespace: 'argocd', finalizers: ['resources-finalizer.argocd.argoproj.io'] },
    spec: { project: 'default', syncPolicy: { automated: { prune: true, selfHeal: true } } },
  },
  manager: 'argocd-controller',
  marks: { annotations: { 'argocd.argoproj.io/tracking-id': 'shop:apps/Deployment:shop/web' } },
};

export const FLUX: ForeignTool = {
  definition: definition({
    group: 'kustomize.toolkit.fluxcd.io',
    version: 'v1',
    kind: 'Kustomization',
  }),
  resource: {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name: 'shop', namespace: 'flux-system' },
    spec: { interval: '10m', prune: true, path: '.' },
  },
  manager: 'kustomize-controller',
  marks: {
    labels: {
      'kustomize.toolkit.fluxcd.io/name': 'shop',
      'kustomize.toolkit.fluxcd.io/namespace': 'flux-system',
    },
  },
};

/** The manifest in the repository. The tool applied the same object, with its marks. */
export const MANIFEST = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: { containers: [{ name: 'web', image: 'nginx:1.29' }] },
    },
  },
};
