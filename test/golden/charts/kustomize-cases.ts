/** Kustomizations with charts, as files of a folder. */

const CHART = (name: string): Readonly<Record<string, string>> => ({
  'Chart.yaml': `apiVersion: v2\nname: ${name}\nversion: 1.0.0\n`,
  'values.yaml': 'a: chart\nmap: {own: 1, other: 2}\nlist: [1, 2]\nyes: yes\ny: 1\nport: 80\n',
  'templates/map.yaml': `apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-map
data:
  all: {{ .Values | toJson | quote }}
  namespace: {{ .Release.Namespace }}
  kube: {{ .Capabilities.KubeVersion.Version }}
  has: {{ .Capabilities.APIVersions.Has "example.com/v1" | quote }}
`,
  'templates/deployment.yaml': `apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
  namespace: {{ .Release.Namespace }}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: nginx:1
          envFrom: [{configMapRef: {name: {{ .Release.Name }}-map}}]
`,
  'templates/hook.yaml':
    'apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: hook\n  annotations: {helm.sh/hook: pre-install}\nspec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: b}]}}}\n',
  'templates/tests/test.yaml':
    'apiVersion: v1\nkind: Pod\nmetadata:\n  name: test\n  annotations: {helm.sh/hook: test}\nspec: {containers: [{name: a, image: b}]}\n',
  'crds/crd.yaml':
    'apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: widgets.example.com}\nspec: {group: example.com, names: {kind: Widget, plural: widgets}, scope: Namespaced, versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]}\n',
});

function chartAt(folder: string, name = 'web'): Record<string, string> {
  return Object.fromEntries(Object.entries(CHART(name)).map(([path, text]) => [`${folder}/${path}`, text]));
}

const INLINE = 'valuesInline: {a: inline, map: {own: 9, new: 3, other: null}, list: [7], "y": 5}';

export const KUSTOMIZATIONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'a chart without options': { ...chartAt('charts/web'), 'kustomization.yaml': 'helmCharts: [{name: web}]\n' },
  'a chart with a release, a namespace and all flags': {
    ...chartAt('charts/web'),
    'kustomization.yaml':
      'helmCharts:\n- name: web\n  releaseName: rel\n  namespace: own\n  includeCRDs: true\n  skipTests: true\n  kubeVersion: 1.29.1\n  apiVersions: [example.com/v1]\n',
  },
  'a chart without hooks': {
    ...chartAt('charts/web'),
    'kustomization.yaml': 'helmCharts: [{name: web, releaseName: rel, skipHooks: true}]\n',
  },
  'a chart with a template of its name': {
    ...chartAt('charts/web'),
    'kustomization.yaml': 'helmCharts: [{name: web, nameTemplate: "x-{{ add 1 2 }}"}]\n',
  },
  'inline values that win': {
    ...chartAt('charts/web'),
    'kustomization.yaml': `helmCharts:\n- name: web\n  releaseName: rel\n  ${INLINE}\n`,
  },
  'inline values that fill gaps': {
    ...chartAt('charts/web'),
    'kustomization.yaml': `helmCharts:\n- name: web\n  releaseName: rel\n  valuesMerge: merge\n  ${INLINE}\n`,
  },
  'inline values alone': {
    ...chartAt('charts/web'),
    'kustomization.yaml': `helmCharts:\n- name: web\n  releaseName: rel\n  valuesMerge: replace\n  ${INLINE}\n`,
  },
  'files with values in their order': {
    ...chartAt('charts/web'),
    'base.yaml': 'a: base\nmap: {own: base}\n',
    'more.yaml': 'a: more\nlist: []\n',
    'kustomization.yaml': `helmCharts:\n- name: web\n  releaseName: rel\n  valuesFile: base.yaml\n  additionalValuesFiles: [more.yaml]\n  ${INLINE}\n`,
  },
  'charts in another folder': {
    ...chartAt('apps/web'),
    'kustomization.yaml': 'helmGlobals: {chartHome: apps}\nhelmCharts: [{name: web, releaseName: rel}]\n',
  },
  'a version of a repository that is there already': {
    ...chartAt('charts/web-1.0.0/web'),
    'kustomization.yaml':
      'helmCharts: [{name: web, releaseName: rel, repo: "https://charts.example.com", version: 1.0.0}]\n',
  },
  'the deprecated field': {
    ...chartAt('apps/web'),
    'kustomization.yaml':
      'helmChartInflationGenerator:\n- {chartName: web, chartHome: apps, releaseName: rel, valuesLocal: {a: old}}\n',
  },
  'a configured generator': {
    ...chartAt('charts/web'),
    'kustomization.yaml': 'namespace: outer\ngenerators: [chart.yaml]\n',
    'chart.yaml':
      'apiVersion: builtin\nkind: HelmChartInflationGenerator\nmetadata: {name: any}\nname: web\nreleaseName: rel\nvaluesInline: {a: configured}\n',
  },
  'all changes of the kustomization, where the namespace is that of helm': {
    ...chartAt('charts/web'),
    'kustomization.yaml': `namespace: outer
namePrefix: pre-
labels: [{pairs: {team: a}, includeSelectors: true}]
commonAnnotations: {note: x}
images: [{name: nginx, newTag: "2"}]
replicas: [{name: rel, count: 4}]
patches: [{target: {kind: ConfigMap}, patch: '[{"op": "add", "path": "/data/patched", "value": "yes"}]'}]
configMapGenerator: [{name: own, literals: [a=b]}]
helmCharts: [{name: web, releaseName: rel, skipTests: true}]
`,
  },
  'a chart in a base of an overlay of an overlay': {
    ...chartAt('base/charts/web'),
    'base/kustomization.yaml': 'helmCharts: [{name: web, releaseName: rel, skipTests: true}]\n',
    'middle/kustomization.yaml':
      'namespace: middle\nresources: [../base]\npatches: [{target: {kind: Deployment}, patch: "- {op: add, path: /spec/replicas, value: 3}"}]\n',
    'kustomization.yaml': 'namespace: outer\nresources: [middle]\nnameSuffix: -x\n',
  },
  'six charts in bases with patches of their objects': Object.fromEntries([
    ...Array.from({ length: 6 }, (_, index) => [
      ...Object.entries(chartAt(`base${index}/charts/web`)),
      [
        `base${index}/kustomization.yaml`,
        `namePrefix: n${index}-\nhelmCharts: [{name: web, releaseName: rel${index}, skipTests: true, skipHooks: true}]\npatches: [{target: {kind: Deployment, name: rel${index}}, patch: "- {op: add, path: /spec/replicas, value: ${index}}"}]\n`,
      ],
    ]).flat(),
    ['kustomization.yaml', 'resources: [base0, base1, base2, base3, base4, base5]\n'],
  ]) as Record<string, string>,
  'origins of objects': {
    ...chartAt('charts/web'),
    'kustomization.yaml':
      'buildMetadata: [originAnnotations]\nhelmCharts: [{name: web, releaseName: rel, skipTests: true}]\n',
  },
  'helmGlobals alone': {
    'map.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n',
    'kustomization.yaml': 'helmGlobals: {chartHome: apps}\nresources: [map.yaml]\n',
  },
};

/** Kustomizations that both refuse, with a part of our message. */
export const REFUSED: Readonly<Record<string, readonly [files: Readonly<Record<string, string>>, message: RegExp]>> = {
  'a chart without a name': [{ 'kustomization.yaml': 'helmCharts: [{releaseName: x}]\n' }, /needs a name/],
  'a name that is a flag': [{ 'kustomization.yaml': 'helmCharts: [{name: --debug}]\n' }, /must not begin with -/],
  'a release that is a flag': [
    { ...chartAt('charts/web'), 'kustomization.yaml': 'helmCharts: [{name: web, releaseName: -x}]\n' },
    /releaseName must not begin with -/,
  ],
  'an unknown way to merge': [
    { ...chartAt('charts/web'), 'kustomization.yaml': 'helmCharts: [{name: web, valuesMerge: deep}]\n' },
    /valuesMerge must be/,
  ],
  'a chart that is nowhere': [{ 'kustomization.yaml': 'helmCharts: [{name: web}]\n' }, /there is no chart/],
  'a file with values that is missing': [
    { ...chartAt('charts/web'), 'kustomization.yaml': 'helmCharts: [{name: web, additionalValuesFiles: [x.yaml]}]\n' },
    /there is no file x\.yaml/,
  ],
  'an unknown field': [
    { ...chartAt('charts/web'), 'kustomization.yaml': 'helmCharts: [{name: web, wrong: 1}]\n' },
    /wrong" is unknown/,
  ],
  'a name and a template of it': [
    { ...chartAt('charts/web'), 'kustomization.yaml': 'helmCharts: [{name: web, releaseName: a, nameTemplate: b}]\n' },
    /both releaseName and nameTemplate/,
  ],
};
