/** Random patches for objects of the case: strategic merge and JSON 6902, inline and in files, by id and by target. */
import type { Chance } from '../../support/chance.ts';
import type { Layer } from './fields.ts';
import { NAMES, oddText, podSpec, type MadeObject } from './objects.ts';
import { writeYamlText, type Written } from './yaml-text.ts';

export interface PatchEntry {
  readonly [key: string]: Written;
}

export function makePatches(layer: Layer): PatchEntry[] {
  const { chance, objects } = layer;
  if (objects.length === 0) return [];
  return Array.from({ length: 1 + chance.int(2) }, (_, index) => {
    const object = chance.pick(objects);
    const isJson = chance.may(0.4);
    layer.uses.add(isJson ? 'patches/json' : 'patches/merge');
    const text = isJson ? jsonPatch(chance, object) : mergePatch(chance, object);
    const hasTarget = isJson || chance.may(0.4);
    const file = `patch-${index}.yaml`;
    if (chance.may(0.5)) {
      layer.files[`${layer.folder}/${file}`] = text;
      return { path: file, ...(hasTarget ? { target: target(chance, object) } : {}) };
    }
    return {
      patch: text,
      ...(hasTarget ? { target: target(chance, object) } : {}),
      ...(chance.may(0.1) ? { options: { allowNameChange: true } } : {}),
    };
  });
}

function target(chance: Chance, { kind, name, apiVersion }: MadeObject): Written {
  const [version = '', group = ''] = apiVersion.split('/').reverse();
  return chance.pick<Written>([
    { kind, name },
    { kind },
    { group, version, kind, name },
    { name: `${name.slice(0, 1)}.*` },
    { kind: `${kind.slice(0, 4)}.*|Service`, name },
    { labelSelector: `app=${name}` },
    { kind, annotationSelector: 'note' },
    { labelSelector: `app in (${name}, other)`, kind },
  ]);
}

function mergePatch(chance: Chance, object: MadeObject): string {
  const { apiVersion, kind, name } = object;
  const metadata = {
    name,
    ...(object.value['metadata'] !== undefined && chance.may(0.9) ? namespaceOf(object) : {}),
    ...(chance.may(0.3) ? { labels: { patched: oddText(chance), app: chance.pick<Written>([null, 'p']) } } : {}),
    ...(chance.may(0.2) ? { annotations: { note: chance.pick<Written>([null, 'n']) } } : {}),
  };
  if (chance.may(0.05)) return writeYamlText(chance, { apiVersion, kind, metadata, $patch: 'delete' });
  return writeYamlText(chance, { apiVersion, kind, metadata, ...bodyPatch(chance, object) });
}

function namespaceOf({ value }: MadeObject): { namespace?: Written } {
  const { namespace } = value['metadata'] as { namespace?: Written };
  return namespace === undefined ? {} : { namespace };
}

function bodyPatch(chance: Chance, { kind, value }: MadeObject): { readonly [key: string]: Written } {
  if (kind === 'ConfigMap')
    return { data: { k: chance.pick<Written>([null, oddText(chance)]), more: oddText(chance) } };
  if (kind === 'Service')
    return {
      spec: {
        ports: [{ port: chance.pick([80, 81]), ...(chance.may(0.5) ? { protocol: 'TCP' } : {}), name: 'patched' }],
      },
    };
  if (kind === 'Thing')
    return {
      spec: chance.pick<Record<string, Written>>([
        { list: [{ name: 'a', extra: 1 }] },
        { more: { $patch: 'replace', only: 1 } },
        { more: null },
        { odd: [] },
      ]),
    };
  if (/Binding$/.test(kind))
    return { subjects: [{ kind: 'ServiceAccount', name: chance.pick(NAMES), namespace: 'one' }] };
  const { spec } = value as { spec?: { template?: Written } };
  if (kind === 'Pod') return { spec: podPatch(chance) };
  if (spec?.template === undefined) return { extra: { added: oddText(chance) } };
  return {
    spec: {
      ...(chance.may(0.3) ? { replicas: chance.pick<Written>([null, 5]) } : {}),
      template: { spec: podPatch(chance) },
    },
  };
}

/** The spec of a Pod, with patch directives in some of its lists. */
function podPatch(chance: Chance): Written {
  const made = podSpec(chance) as {
    readonly containers: { readonly [key: string]: Written }[];
    readonly [key: string]: Written;
  };
  const containers = made.containers.map((one) => {
    const { image, ...rest } = one;
    const directive = chance.pick<{ $patch?: string }>([
      {},
      {},
      {},
      {},
      { $patch: 'delete' },
      { $patch: 'replace' },
      { $patch: 'merge' },
    ]);
    return { ...rest, ...(chance.may(0.5) && image !== undefined ? { image } : {}), ...directive };
  });
  const list: Written[] = chance.may(0.05) ? [...containers, { $patch: 'replace' }] : containers;
  const more = chance.pick<Record<string, Written>>([
    {},
    {},
    { volumes: [{ name: 'v1', $patch: 'delete' }] },
    { nodeSelector: { a: 'b' } },
    { tolerations: [{ key: 'z' }] },
    { affinity: null },
    { $setElementOrder: ['x'] },
  ]);
  return { ...made, containers: list, ...more };
}

function jsonPatch(chance: Chance, { kind }: MadeObject): string {
  const operations = chance.some<Written>(
    [
      { op: 'add', path: '/metadata/labels', value: { added: '1' } },
      { op: 'add', path: '/metadata/annotations', value: { a: oddText(chance), n: '5' } },
      { op: 'replace', path: '/metadata/name', value: chance.pick(NAMES) },
      { op: 'test', path: '/kind', value: kind },
      { op: 'add', path: '/spec/template/spec/containers/-', value: { name: 'new', image: 'nginx' } },
      { op: 'replace', path: '/spec/template/spec/containers/0/image', value: 'redis:7' },
      { op: 'remove', path: '/metadata/labels' },
      { op: 'copy', from: '/metadata/name', path: '/metadata/generateName' },
      { op: 'move', from: '/metadata/labels', path: '/moved' },
      { op: 'add', path: '/data/a~1b', value: 'c' },
      {
        op: 'add',
        path: '/number',
        value: chance.pick<Written>([1, 1.5, 12345678, { raw: '1e3' }, true, null, { raw: '0777' }]),
      },
    ],
    2,
  );
  const list = operations.length === 0 ? [{ op: 'add', path: '/x', value: { y: [1, 'z', null] } }] : operations;
  return chance.may(0.3) && !JSON.stringify(list).includes('"raw"')
    ? JSON.stringify(list)
    : writeYamlText(chance, list);
}
