/** The sources of a volume, each beside another one. */
import type { Manifest } from '../../support/objects.ts';
import type { Case } from './alternatives.ts';
import { container, deployment, partOf } from './pods.ts';

const SOURCES: Readonly<Record<string, Manifest>> = {
  configMap: { name: 'settings' },
  emptyDir: {},
  secret: { secretName: 's' },
  persistentVolumeClaim: { claimName: 'c' },
  hostPath: { path: '/x' },
  projected: { sources: [{ configMap: { name: 'p' } }] },
  downwardAPI: { items: [{ path: 'a', fieldRef: { fieldPath: 'metadata.name' } }] },
  ephemeral: {
    volumeClaimTemplate: { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
  },
  csi: { driver: 'd.example' },
  nfs: { server: 's', path: '/x' },
};

export function volumeCases(): [string, Case][] {
  const names = Object.keys(SOURCES);
  return names.flatMap((ofGit, index): [string, Case][] => {
    const other = names[(index + 1) % names.length] ?? '';
    const git = {
      volumes: [
        { name: 'v', [ofGit]: SOURCES[ofGit] },
        { name: 'w', emptyDir: {} },
      ],
    };
    const left = {
      volumes: [
        { name: 'v', [other]: SOURCES[other] },
        { name: 'w', emptyDir: {} },
      ],
    };
    const expected = { [`/spec/template/spec/volumes/0/${other}`]: undefined };
    return [
      [
        `a volume: ${ofGit} of Git and ${other} of a person`,
        { before: deployment({}, git), hand: container({}, left), expected },
      ],
      [
        `a volume: ${ofGit} of Git and ${other} of another manager`,
        {
          before: deployment({}),
          applied: partOf('Deployment', {}, { volumes: [left.volumes[0], { name: 'theirs', emptyDir: {} }] }),
          after: deployment({}, git),
          expected: { '/spec/template/spec/volumes/1/name': 'theirs', '/spec/template/spec/volumes/3': undefined },
        },
      ],
    ];
  });
}
