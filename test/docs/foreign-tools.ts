/**
 * Objects as Argo CD and Flux leave them in a cluster: their resource, its CRD, and objects with their field manager,
 * labels and annotations. The controllers do not run; their documentation says how they behave.
 */

export interface ForeignTool {
  /** The CRD of `resource`, applied first. */
  readonly definition: unknown;
  readonly resource: unknown;
  readonly manager: string;
  /** Labels and annotations that the tool adds to each object. */
  readonly marks: { readonly labels?: Record<string, string>; readonly annotations?: Record<string, string> };
}

export const ARGO_CD: ForeignTool = {
  definition: definition({ group: 'argoproj.io', version: 'v1alpha1', kind: 'Application', plural: 'applications' }),
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
    plural: 'kustomizations',
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

interface Names {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
}

function definition({ group, version, kind, plural }: Names): unknown {
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
      versions: [{ name: version, served: true, storage: true, schema }],
    },
  };
}

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
