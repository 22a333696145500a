/** A kubeconfig with one token and nothing else, as a Pod has it: who gets it acts with those rights only. */
import { chmod, readFile, writeFile } from 'node:fs/promises';
import type { ControlPlane } from '../control-plane/control-plane.ts';

/** Readable by everybody, since the agent that reads it may run as another user. */
export async function writeKubeconfig(file: string, plane: ControlPlane, token: string): Promise<void> {
  const ca = (await readFile(plane.caFile)).toString('base64');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'cluster', cluster: { server: plane.url, 'certificate-authority-data': ca } }],
    users: [{ name: 'account', user: { token } }],
    contexts: [{ name: 'account', context: { cluster: 'cluster', user: 'account' } }],
    'current-context': 'account',
  };
  await writeFile(file, JSON.stringify(config));
  await chmod(file, 0o644);
}
