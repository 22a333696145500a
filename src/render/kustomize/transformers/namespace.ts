/**
 * The field `namespace`: sets the namespace of every object that is not known to be cluster-scoped, and other fields
 * that contain a namespace.
 */
import { isNothing, isYamlList, isYamlMap, textOf, type YamlMap, type YamlNode } from '../../../object/yaml/node.ts';
import { fail } from '../../fail.ts';
import { fieldsByKind, visitField, visitPath, type Field, type FieldSpec } from '../field-spec.ts';
import { placeOf, type Layer } from '../layer.ts';
import { currentId, isClusterScoped } from '../resource-id.ts';
import { changeAll, checkUnique, type ResourceSet } from '../resource-set.ts';
import { recordPreviousId, type Resource } from '../resource.ts';
import type { Transformer } from './transformer.ts';

export const namespaceTransformer: Transformer = {
  name: 'NamespaceTransformer',
  configure: ({ kustomization, specs }: Layer) => {
    const { namespace } = kustomization;
    if (namespace === '') return [];
    const options: NamespaceOptions = {
      namespace,
      specs: specs.namespace,
      shouldKeepExisting: false,
      subjects: 'defaultOnly',
    };
    return [(set) => setNamespaces(set, options)];
  },
};

export interface NamespaceOptions {
  readonly namespace: string;
  readonly specs: readonly FieldSpec[];
  /** Whether namespaces that are already set stay (`unsetOnly`). */
  readonly shouldKeepExisting: boolean;
  /** Which subjects of role bindings get the namespace. */
  readonly subjects: 'defaultOnly' | 'allServiceAccounts' | 'none';
}

export function setNamespaces(set: ResourceSet, options: NamespaceOptions): void {
  const fieldsOf = fieldsByKind(options.specs);
  changeAll(set, (resource) => {
    if (resource.isFromHelm) return;
    recordPreviousId(resource);
    setNamespaceFields(resource, options, fieldsOf(resource.node));
  });
  checkUnique(set);
}

/** `fields`: the fields of `options.specs` that match the kind of the object. */
export function setNamespaceFields(resource: Resource, options: NamespaceOptions, fields: readonly Field[]): void {
  const { node } = resource;
  const id = currentId(node);
  const set = (found: YamlNode): YamlNode => {
    if (isYamlMap(found) || isYamlList(found)) fail('InvalidObject', 'a namespace is not a text', placeOf(resource));
    return options.shouldKeepExisting && textOf(found) !== '' ? found : options.namespace;
  };
  if (!isClusterScoped(id)) visitPath(node, 'metadata/namespace', { create: 'scalar', set });
  const isBinding = id.kind === 'RoleBinding' || id.kind === 'ClusterRoleBinding';
  if (isBinding) setSubjects(node, options, set);
  for (const field of fields) {
    const { spec } = field;
    if (spec.path === 'metadata/namespace') continue;
    // Only the name of a core Namespace is changed, not that of a custom kind called Namespace.
    if (spec.path === 'metadata/name' && textOf(node.get('apiVersion')) !== 'v1') continue;
    if (isBinding && spec.path === 'subjects/namespace' && /RoleBinding$/.test(spec.kind)) continue;
    visitField(node, field, { create: 'scalar', set });
  }
}

function setSubjects(node: YamlMap, options: NamespaceOptions, set: (found: YamlNode) => YamlNode): void {
  const subjects = node.get('subjects');
  if (options.subjects === 'none' || isNothing(subjects)) return;
  if (!isYamlList(subjects)) fail('InvalidObject', 'the subjects of a role binding are not a list');
  for (const subject of subjects) {
    if (!isYamlMap(subject)) continue;
    const isSelected =
      options.subjects === 'allServiceAccounts'
        ? textOf(subject.get('kind')) === 'ServiceAccount'
        : textOf(subject.get('name')) === 'default';
    if (isSelected) subject.set('namespace', set(subject.get('namespace') ?? ''));
  }
}
