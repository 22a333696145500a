/** Command: starts a control plane, prints the path of its kubeconfig, and waits to be killed. For launcher.test.ts. */
import { startControlPlane } from './control-plane.ts';

const plane = await startControlPlane({ mode: 'api-server-only' });
console.log(plane.kubeconfig);
setInterval(() => undefined, 60_000);
