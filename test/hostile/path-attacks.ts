/** Attacks by paths, links and the fields of a kustomization. */
import { CONFIG_MAP, files, kustomization, many, type Attack, type Files } from './attack.ts';

export interface Places {
  /** Path of a manifest outside of every repository. */
  readonly canaryFile: string;
  /** The agent's data folder, with the repositories of other Applications. */
  readonly dataDir: string;
}

const ESCAPES = ['PathEscapesRoot', 'PathNotFound', 'KustomizationInvalid', 'Unsupported'];
const NAMED = 'resources: [a.yaml]\n';

export function linkAttacks({ canaryFile, dataDir }: Places): Attack[] {
  const up = `${'../'.repeat(30)}${canaryFile.slice(1)}`;
  const targets: Readonly<Record<string, string>> = {
    'an absolute link': canaryFile,
    'a relative link out of the repository': up,
    'a link to itself': 'l',
    'a link to the data folder of the agent': dataDir,
  };
  return Object.entries(targets).flatMap(([title, target]) => {
    const link = { symlink: target };
    return [
      files(`${title} as the kustomization`, { 'kustomization.yaml': link, l: link }, ESCAPES),
      files(`${title} as a resource`, { 'kustomization.yaml': 'resources: [l]\n', l: link }, ESCAPES),
      files(`${title} as a base`, { 'kustomization.yaml': 'resources: [l/base]\n', l: link }, ESCAPES),
      files(
        `${title} as a file of a generator`,
        { 'kustomization.yaml': 'configMapGenerator: [{name: g, files: [l]}]\n', l: link },
        ESCAPES,
      ),
      files(`${title} as a manifest of a folder`, { 'l.yaml': { symlink: target === 'l' ? 'l.yaml' : target } }, [
        ...ESCAPES,
        'EmptyRender',
      ]),
    ];
  });
}

const CYCLES: readonly Attack[] = [
  kustomization('a kustomization that lists itself', 'resources: [.]', { expected: 'KustomizationInvalid' }),
  kustomization('a cycle of three kustomizations', 'resources: [b]', {
    beside: { 'b/kustomization.yaml': 'resources: [../c]\n', 'c/kustomization.yaml': 'resources: [..]\n' },
    expected: 'KustomizationInvalid',
  }),
  kustomization('a cycle through a link', 'resources: [b]', {
    beside: { 'b/kustomization.yaml': 'resources: [l]\n', 'b/l': { symlink: '..' } },
    expected: ['KustomizationInvalid', 'PathEscapesRoot'],
  }),
  kustomization('a chain of 60 links', 'resources: [l0]', {
    beside: Object.fromEntries(many(60, (i) => [`l${i}`, { symlink: `l${i + 1}` }])),
    expected: ESCAPES,
  }),
];

const FIELDS: readonly string[] = [
  'resources: [PATH]',
  'components: [PATH]',
  `${NAMED}crds: [PATH]`,
  `${NAMED}openapi: {path: PATH}`,
  `${NAMED}patches: [{path: PATH}]`,
  `${NAMED}replacements: [{path: PATH}]`,
  'configMapGenerator: [{name: g, envs: [PATH]}]',
  'secretGenerator: [{name: g, files: [PATH]}]',
  'generators: [PATH]',
  'transformers: [PATH]',
];

export function escapeAttacks({ canaryFile }: Places): Attack[] {
  const paths = [canaryFile, `../../../../../../../..${canaryFile}`, `file://${canaryFile}`];
  return FIELDS.map((field, index) => {
    const path = JSON.stringify(paths[index % paths.length]);
    return kustomization(`${path} in ${field.replace(NAMED, '')}`, field.replace('PATH', path), { expected: ESCAPES });
  });
}

const configMaps = (count: number): string =>
  many(count, (i) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c${i}}\ndata: {k: v}\n`).join('---\n');

/** Kustomizations of which each level lists the one below twice. */
function doubling(levels: number): Files {
  const made: Record<string, string> = {};
  for (let level = 1; level <= levels; level += 1) {
    const below = level === 1 ? '../base' : `../l${level - 1}`;
    for (const side of ['x', 'y'])
      made[`l${level}${side}/kustomization.yaml`] = `resources: [${below}]\nnamePrefix: ${side}-\n`;
    made[`l${level}/kustomization.yaml`] = `resources: [../l${level}x, ../l${level}y]\n`;
  }
  return { ...made, 'base/kustomization.yaml': NAMED, 'base/a.yaml': CONFIG_MAP };
}

const COSTLY: readonly Attack[] = [
  kustomization('2^30 kustomizations', 'resources: [l30]', {
    beside: doubling(30),
    expected: ['LimitExceeded', 'Killed'],
  }),
  kustomization(
    'regular expressions that backtrack exponentially',
    `resources: [a.yaml, kept.yaml]\nimages: [{name: "(a+)+$", newTag: x}]\npatches: [{target: {name: "(a|a)*(h*)*b"}, patch: "[]"}]`,
    {
      beside: { 'a.yaml': CONFIG_MAP.replace('hostile', 'h'.repeat(60)) },
      expected: 'Ready',
    },
  ),
  kustomization(
    '200 replacements that copy a large text into 2,000 objects',
    `resources: [b.yaml]\nreplacements:\n${many(200, (i) => `- {source: {kind: ConfigMap, name: c0, fieldPath: data.big}, targets: [{select: {name: "c.*"}, fieldPaths: [data.f${i}], options: {create: true}}]}\n`).join('')}`,
    {
      beside: { 'b.yaml': configMaps(2_000).replace('k: v', `big: "${'word '.repeat(100_000)}"`) },
      expected: ['LimitExceeded', 'Killed'],
    },
  ),
  kustomization('a base at a URL', 'resources: ["https://127.0.0.1:1/x?ref=--upload-pack=touch"]', {
    expected: ESCAPES,
  }),
  kustomization('a plugin that runs a program', `${NAMED}generators: [g.yaml]`, {
    beside: {
      'g.yaml':
        'apiVersion: x/v1\nkind: ExecPlugin\nmetadata: {name: x, annotations: {config.kubernetes.io/function: "exec: {path: /bin/true}"}}\n',
    },
    expected: ESCAPES,
  }),
  files(
    'a submodule in place of a base',
    { 'kustomization.yaml': 'resources: [sub]\n', sub: { submodule: '1'.repeat(40) } },
    ESCAPES,
  ),
  files('a repository with only a submodule', { sub: { submodule: '1'.repeat(40) } }, 'EmptyRender'),
  files(
    'a folder in place of a file of a generator',
    { 'kustomization.yaml': 'configMapGenerator: [{name: g, files: [d]}]\n', 'd/x': '' },
    ESCAPES,
  ),
];

export function pathAttacks(places: Places): readonly Attack[] {
  return [...linkAttacks(places), ...CYCLES, ...escapeAttacks(places), ...COSTLY];
}
