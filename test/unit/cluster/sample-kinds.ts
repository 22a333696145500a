/** Kinds for the tests of this folder, as discovery returns them. */
import type { KindInfo } from '../../../src/cluster/kinds.ts';

export const configMaps: KindInfo = {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  isNamespaced: true,
  hasStatus: false,
  isWatchable: true,
};

export const secrets: KindInfo = { ...configMaps, kind: 'Secret', plural: 'secrets' };

export const namespaces: KindInfo = {
  ...configMaps,
  kind: 'Namespace',
  plural: 'namespaces',
  isNamespaced: false,
  hasStatus: true,
};

export const deployments: KindInfo = {
  ...configMaps,
  group: 'apps',
  kind: 'Deployment',
  plural: 'deployments',
  hasStatus: true,
};
