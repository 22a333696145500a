/** Charts of different habits, each with the options of an Application and the same options as arguments of helm. */

export interface ChartCase {
  /** Files of the repository. A link is given as the text `link: <target>`. */
  readonly files: Readonly<Record<string, string>>;
  /** Folder of the chart; default `chart`. */
  readonly path?: string;
  /** `spec.render.helm`. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** The same for `helm template`, run in the folder of the repository. */
  readonly args?: readonly string[];
  /** ConfigMaps and Secrets by `<kind> <name>`. */
  readonly data?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

const META = 'apiVersion: v2\nname: web\nversion: 1.2.3\nappVersion: "4.5"\n';

function configMap(...data: readonly string[]): string {
  const lines = data.map((line) => `  ${line}`).join('\n');
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-map\ndata:\n${lines}\n`;
}

const JOB = (name: string, annotations: string): string =>
  `apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: ${name}\n  annotations:\n${annotations}spec:\n  template:\n    spec:\n      restartPolicy: Never\n      containers: [{name: main, image: busybox}]\n`;

const CRD = (plural: string, kind: string): string =>
  `apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: ${plural}.example.com}\nspec:\n  group: example.com\n  names: {kind: ${kind}, plural: ${plural}}\n  scope: Namespaced\n  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]\n`;

export const CASES: Readonly<Record<string, ChartCase>> = {
  'hooks, of which those of tests are left out': {
    files: {
      'chart/Chart.yaml': META,
      'chart/templates/pre.yaml': JOB('pre', '    helm.sh/hook: pre-install,pre-upgrade\n    helm.sh/hook-weight: "-5"\n'),
      'chart/templates/post.yaml': JOB('post', '    "helm.sh/hook": post-install\n'),
      'chart/templates/tests/test.yaml': JOB('test', '    helm.sh/hook: test\n'),
      'chart/templates/map.yaml': configMap('a: b'),
    },
    args: ['--skip-tests'],
  },
  'hooks with those of tests': {
    files: {
      'chart/Chart.yaml': META,
      'chart/templates/tests/test.yaml': JOB('test', '    helm.sh/hook: test\n'),
      'chart/templates/map.yaml': configMap('a: b'),
    },
    options: { skipTests: false },
  },
  'custom resource definitions of the folder crds': {
    files: {
      'chart/Chart.yaml': META,
      'chart/crds/two.yaml': `${CRD('widgets', 'Widget')}---\n# a comment alone\n---\n${CRD('gadgets', 'Gadget')}`,
      'chart/templates/widget.yaml': 'apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: "{{ .Release.Name }}"}\n',
    },
    args: ['--skip-tests'],
  },
  'custom resource definitions that are left out': {
    files: {
      'chart/Chart.yaml': META,
      'chart/crds/one.yaml': CRD('widgets', 'Widget'),
      'chart/templates/map.yaml': configMap('a: b'),
    },
    options: { skipCRDs: true },
    args: ['--without-crds'],
  },
  'subcharts with aliases, conditions, tags, global and imported values': {
    files: {
      'chart/Chart.yaml': `${META}dependencies:
  - {name: db, version: 0.1.0, condition: db.enabled}
  - {name: db, version: 0.1.0, alias: replica}
  - {name: cache, version: 1.0.0, tags: [fast], import-values: [{child: exported, parent: taken}]}
  - {name: off, version: 1.0.0, condition: off.enabled}
`,
      'chart/values.yaml': 'db: {enabled: true, size: 3}\nreplica: {size: 5}\ntags: {fast: true}\nglobal: {zone: a}\noff: {enabled: false}\n',
      'chart/templates/map.yaml': configMap('taken: {{ .Values.taken.color | quote }}', 'off: {{ .Values.off | toJson | quote }}'),
      'chart/charts/db/Chart.yaml': 'apiVersion: v2\nname: db\nversion: 0.1.0\n',
      'chart/charts/db/values.yaml': 'size: 1\n',
      'chart/charts/db/templates/map.yaml':
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "{{ .Chart.Name }}-{{ .Values.size }}"}\ndata: {size: {{ .Values.size | quote }}, zone: {{ .Values.global.zone }}}\n',
      'chart/charts/cache/Chart.yaml': 'apiVersion: v2\nname: cache\nversion: 1.0.0\n',
      'chart/charts/cache/values.yaml': 'exported: {color: blue}\n',
      'chart/charts/cache/templates/map.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cache}\n',
      'chart/charts/off/Chart.yaml': 'apiVersion: v2\nname: off\nversion: 1.0.0\n',
      'chart/charts/off/templates/map.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "off"}\n',
    },
    args: ['--skip-tests'],
  },
  'texts of values that are templates': {
    files: {
      'chart/Chart.yaml': META,
      'chart/values.yaml': 'host: "{{ .Release.Name }}.{{ .Values.domain }}"\ndomain: example.com\nextra:\n  - apiVersion: v1\n    kind: ConfigMap\n    metadata: {name: "{{ .Release.Name }}-extra"}\n',
      'chart/templates/map.yaml': `${configMap('host: {{ tpl .Values.host . }}')}{{- range .Values.extra }}\n---\n{{ tpl (toYaml .) $ }}\n{{- end }}\n`,
    },
    args: ['--skip-tests'],
  },
  'a look-up in the cluster, which finds nothing': {
    files: {
      'chart/Chart.yaml': META,
      'chart/templates/map.yaml': configMap(
        'found: {{ lookup "v1" "Secret" .Release.Namespace "old" | toJson | quote }}',
        'new: {{ if not (lookup "v1" "Secret" .Release.Namespace "old") }}"yes"{{ end }}',
      ),
    },
    args: ['--skip-tests'],
  },
  'a schema that accepts the values': {
    files: {
      'chart/Chart.yaml': META,
      'chart/values.yaml': 'replicas: 2\n',
      'chart/values.schema.json': '{"type": "object", "properties": {"replicas": {"type": "integer", "minimum": 1}}}',
      'chart/templates/map.yaml': configMap('replicas: {{ .Values.replicas | quote }}'),
    },
    options: { values: { replicas: 7 } },
    args: ['--skip-tests', '--set', 'replicas=7'],
  },
  'a library chart that a folder beside holds': {
    files: {
      'chart/Chart.yaml': `${META}dependencies: [{name: lib, version: 1.x.x, repository: "file://../lib"}]\n`,
      'chart/templates/map.yaml': '{{ include "lib.map" (dict "name" "from-lib" "root" .) }}\n',
      'lib/Chart.yaml': 'apiVersion: v2\nname: lib\nversion: 1.4.0\ntype: library\n',
      'lib/templates/_map.tpl':
        '{{- define "lib.map" -}}\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .name }}, namespace: {{ .root.Release.Namespace }}}\n{{- end -}}\n',
    },
    args: ['--skip-tests', '--build-dependencies'],
  },
  'numbers, booleans and nulls in values': {
    files: {
      'chart/Chart.yaml': META,
      'chart/values.yaml': [
        'int: 1000000',
        'big: 12345678901234567890',
        'float: 1.50',
        'exponent: 1e3',
        'octal: 0777',
        'newOctal: 0o17',
        'hex: 0x1F',
        'yes: yes',
        'on: on',
        'text: "yes"',
        'date: 2024-01-02',
        'time: 12:30:45',
        'gone: {a: 1, b: 2}',
        'list: [1, 2, 3]',
        'empty:',
        '1: one',
      ].join('\n'),
      'chart/templates/map.yaml': `${configMap('all: |', '{{- toYaml .Values | nindent 4 }}', 'int: "{{ .Values.int }}"', 'big: "{{ .Values.big }}"')}spec:\n  plain: {{ .Values.int }}\n  yes: yes\n  on: on\n  n: n\n  octal: 0777\n  date: 2024-01-02\n  twice: 1\n  twice: 2\n  float: 1.0\n  text: "0777"\n  1: one\n`,
    },
    options: { values: { gone: { a: null }, list: [9], int: 2_000_000, float: 0.1 } },
    args: ['--skip-tests', '--set-json', 'gone={"a":null}', '--set-json', 'list=[9]', '--set-json', 'int=2000000', '--set-json', 'float=0.1'],
  },
  'files of the chart, one of them by a link': {
    files: {
      'chart/Chart.yaml': META,
      'chart/config/a.conf': 'a = 1\n',
      'chart/config/b.conf': 'b = {{ not a template }}\n',
      'chart/shared.conf': 'link: ../shared/shared.conf',
      'shared/shared.conf': 'shared = true\n',
      'chart/ignored/secret.conf': 'x',
      'chart/.helmignore': 'ignored/\n',
      'chart/templates/map.yaml': configMap(
        '{{- (.Files.Glob "config/*").AsConfig | nindent 2 }}',
        'shared: {{ .Files.Get "shared.conf" | quote }}',
        'ignored: {{ .Files.Get "ignored/secret.conf" | quote }}',
        'lines: {{ range .Files.Lines "config/a.conf" }}{{ . | quote }}{{ break }}{{ end }}',
      ),
      'chart/templates/secret.yaml':
        'apiVersion: v1\nkind: Secret\nmetadata: {name: files}\ndata:\n{{ (.Files.Glob "config/*").AsSecrets | indent 2 }}\n',
    },
    args: ['--skip-tests'],
  },
  'capabilities of a given cluster': {
    files: {
      'chart/Chart.yaml': `${META}kubeVersion: ">=1.25.0-0"\n`,
      'chart/templates/map.yaml': configMap(
        'version: {{ .Capabilities.KubeVersion.Version }}',
        'minor: {{ .Capabilities.KubeVersion.Minor | quote }}',
        'has: {{ .Capabilities.APIVersions.Has "example.com/v1/Widget" | quote }}',
        'hasNot: {{ .Capabilities.APIVersions.Has "other.com/v1" | quote }}',
        'builtIn: {{ .Capabilities.APIVersions.Has "apps/v1" | quote }}',
      ),
    },
    options: { kubeVersion: '1.29.4', apiVersions: ['example.com/v1/Widget', 'example.com/v1'] },
    args: ['--skip-tests', '--kube-version', '1.29.4', '--api-versions', 'example.com/v1/Widget', '--api-versions', 'example.com/v1'],
  },
  'named templates, and functions of texts': {
    files: {
      'chart/Chart.yaml': META,
      'chart/values.yaml': 'labels: {team: a, tier: web}\npassword: s3cret\n',
      'chart/templates/_helpers.tpl':
        '{{- define "web.labels" -}}\napp: {{ .Chart.Name | trunc 63 | trimSuffix "-" }}\n{{- with .Values.labels }}\n{{ toYaml . }}\n{{- end }}\n{{- end }}\n',
      'chart/templates/secret.yaml':
        'apiVersion: v1\nkind: Secret\nmetadata:\n  name: {{ printf "%s-%s" .Release.Name .Chart.Name }}\n  labels: {{- include "web.labels" . | nindent 4 }}\n  annotations:\n    checksum: {{ include "web.labels" . | sha256sum }}\nstringData:\n  password: {{ .Values.password | b64enc | quote }}\n',
    },
    options: { releaseName: 'custom', namespace: 'elsewhere' },
    args: ['--skip-tests', '--release=custom', '--namespace=elsewhere'],
  },
  'notes, empty documents and comments': {
    files: {
      'chart/Chart.yaml': META,
      'chart/templates/NOTES.txt': 'Thank you for installing {{ .Chart.Name }}.\n---\nkind: NotAnObject\n',
      'chart/templates/empty.yaml': '{{ if .Values.on }}\nkind: x\n{{ end }}\n',
      'chart/templates/comment.yaml': '# only a comment\n---\n---\n\n---\n# another one\n',
      'chart/templates/null.yaml': 'null\n',
      'chart/templates/map.yaml': `---\n# Source: not/a/template.yaml\n${configMap('a: |', '  ---', '  # Source: inside/a/text.yaml', '  b')}---\n`,
    },
    args: ['--skip-tests'],
  },
  'lists, several documents in a file, and other ends of lines': {
    files: {
      'chart/Chart.yaml': META,
      'chart/templates/list.yaml':
        'apiVersion: v1\nkind: List\nitems:\n  - {apiVersion: v1, kind: ConfigMap, metadata: {name: one}}\n  - {apiVersion: v1, kind: ConfigMap, metadata: {name: two}}\n',
      'chart/templates/more.yaml':
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: three}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: four}\ndata: {text: "a\\r\\nb"}\n',
      'chart/templates/crlf.yaml': 'apiVersion: v1\r\nkind: ConfigMap\r\nmetadata:\r\n  name: five\r\ndata:\r\n  text: |\r\n    a\r\n    b\r\n',
      'chart/templates/anchors.yaml':
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: six, labels: &l {a: b}}\ndata: {<<: *l, c: d}\n',
    },
    args: ['--skip-tests'],
  },
  'values of files, objects and the Application in their order': {
    files: {
      'chart/Chart.yaml': META,
      'chart/values.yaml': 'a: chart\nb: chart\nc: chart\nd: chart\ne: chart\nf: chart\nmap: {chart: 1}\n',
      'chart/values-prod.yaml': 'b: prod\nmap: {prod: 1}\n',
      'envs/10.yaml': 'c: ten\n',
      'envs/20.yaml': 'c: twenty\nd: twenty\n',
      'envs/deep/30.yaml': 'd: thirty\n',
      'chart/templates/map.yaml': configMap('all: {{ .Values | toJson | quote }}'),
    },
    options: {
      valueFiles: ['values-prod.yaml', '/envs/**/*.yaml', 'absent.yaml', '../envs/10.yaml'],
      ignoreMissingValueFiles: true,
      valuesFrom: [
        { kind: 'ConfigMap', name: 'settings', key: 'values.yaml', optional: false },
        { kind: 'Secret', name: 'hidden', key: 'extra', optional: false },
        { kind: 'ConfigMap', name: 'absent', key: 'values.yaml', optional: true },
      ],
      values: { f: 'inline', map: { inline: true } },
      parameters: [
        { name: 'g.h', value: '1', forceString: false },
        { name: 'i', value: '1', forceString: true },
        { name: 'list[1]', value: '{x,y}', forceString: false },
      ],
    },
    data: {
      'ConfigMap settings': { 'values.yaml': 'e: settings\nf: settings\n' },
      'Secret hidden': { extra: 'e: hidden\n' },
    },
    args: [
      '--skip-tests',
      ...['chart/values-prod.yaml', 'envs/20.yaml', 'envs/deep/30.yaml', 'envs/10.yaml'].flatMap((file) => ['-f', file]),
      ...['--set', 'e=hidden', '--set', 'f=inline', '--set', 'map.inline=true'],
      ...['--set', 'g.h=1', '--set-string', 'i=1', '--set', 'list[1]={x,y}'],
    ],
  },
  'a chart of Helm 2 with requirements.yaml': {
    files: {
      'chart/Chart.yaml': 'apiVersion: v1\nname: old\nversion: 0.0.1\n',
      'chart/requirements.yaml': 'dependencies: [{name: sub, version: 0.1.0, repository: "file://../sub"}]\n',
      'chart/templates/map.yaml': configMap('service: {{ .Release.Service }}', 'install: {{ .Release.IsInstall | quote }}'),
      'sub/Chart.yaml': 'apiVersion: v1\nname: sub\nversion: 0.1.0\n',
      'sub/templates/map.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: sub, namespace: {{ .Release.Namespace }}}\n',
    },
    args: ['--skip-tests', '--build-dependencies'],
  },
  'a chart in the root of the repository': {
    files: {
      'Chart.yaml': META,
      'values.yaml': 'a: b\n',
      'templates/map.yaml': configMap('a: {{ .Values.a }}', 'path: {{ .Template.BasePath }}', 'name: {{ .Template.Name }}'),
    },
    path: '',
    args: ['--skip-tests'],
  },
};
