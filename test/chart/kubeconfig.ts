/** Writes a kubeconfig with one token and nothing else, as a Pod has it: its user has the rights of that token only. */
import { chmod, readFile, writeFile } from 'node:fs/promises';
import type { ControlPlane } from '../control-plane/control-plane.ts';

/** The file is readable by every user, since the agent may run as another one. */
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
