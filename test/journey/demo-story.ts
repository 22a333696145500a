/** The steps of `npm run demo -- --once`: each step does one thing and waits until the cluster shows its result. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { DemoScene } from './demo.ts';
import type { KubernetesObject } from './demo-cluster.ts';

const NAMESPACE = 'tautline-demo';
const STEP_TIMEOUT_MS = 60_000;

interface Step {
  readonly title: string;
  readonly act: (scene: DemoScene) => Promise<unknown>;
  /** Describes the result; undefined if the cluster does not show it yet. */
  readonly seen: (scene: DemoScene) => Promise<string | undefined>;
}

/** Runs all steps and prints their results. Resolves to the exit code: 0 only if every result was seen in time. */
export async function tellStory(scene: DemoScene, declarations: readonly string[]): Promise<number> {
  for (const step of steps(declarations)) {
    const startedMs = performance.now();
    await step.act(scene);
    const result = await waitFor(() => step.seen(scene));
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(2);
    const sign = result === undefined ? '✗' : '✔';
    const text = result ?? 'the result was not seen in time';
    console.log(`${sign} ${step.title.padEnd(44)} ${seconds.padStart(6)} s  ${text}`);
    if (result === undefined) return tellFailure(scene);
  }
  return 0;
}

function steps(declarations: readonly string[]): Step[] {
  return [
    {
      title: 'declare two Applications',
      act: async ({ cluster }) => {
        for (const declaration of declarations) await cluster.apply(declaration);
      },
      seen: async (scene) => {
        const all = await Promise.all(['shop', 'plain'].map((name) => application(scene, name)));
        if (!all.every((found) => isReady(found) && found?.status?.health?.status === 'Healthy')) return undefined;
        return `${all.reduce((total, found) => total + (found?.status?.counts?.synced ?? 0), 0)} objects Synced and Healthy`;
      },
    },
    {
      title: 'push a commit that changes the log level',
      act: (scene) => push(scene, 'raise the log level', { 'plain/settings.yaml': settings('debug') }),
      seen: async ({ cluster }) => {
        const found = await cluster.get('configmap', 'settings', 'plain');
        return found?.data?.['log-level'] === 'debug' ? 'the ConfigMap has log-level=debug' : undefined;
      },
    },
    {
      title: 'scale a Deployment by hand to 5 replicas',
      act: ({ cluster }) => cluster.kubectl(['-n', 'shop', 'scale', 'deployment', 'web', '--replicas=5']),
      seen: async ({ cluster }) => {
        const found = await cluster.get('deployment', 'web', 'shop');
        return found?.spec?.replicas === 3 ? 'the Deployment has 3 replicas again' : undefined;
      },
    },
    {
      title: 'delete a Service by hand',
      act: ({ cluster }) => cluster.kubectl(['-n', 'shop', 'delete', 'service', 'web', '--wait=true']),
      seen: async ({ cluster }) =>
        (await cluster.get('service', 'web', 'shop')) ? 'the Service exists again' : undefined,
    },
    {
      title: 'remove a manifest from Git',
      act: (scene) => push(scene, 'remove the widget', { 'plain/widget.yaml': null }),
      seen: async (scene) => {
        const isGone = !(await scene.cluster.get('widgets.example.com', 'first', 'plain'));
        return isGone && isReady(await application(scene, 'plain')) ? 'the Widget is pruned' : undefined;
      },
    },
    {
      title: 'push a broken manifest',
      act: (scene) =>
        push(scene, 'break a manifest', { 'plain/broken.yaml': 'apiVersion: v1\nkind: ConfigMap\n  name: x\n' }),
      seen: async (scene) => {
        const message = condition(await application(scene, 'plain'), 'Ready')?.message ?? '';
        const isKept = await scene.cluster.get('configmap', 'settings', 'plain');
        return isKept && message.includes('broken.yaml:') ? message.split('\n')[0] : undefined;
      },
    },
    {
      title: 'fix the manifest',
      act: (scene) => push(scene, 'fix the manifest', { 'plain/broken.yaml': null }),
      seen: async (scene) =>
        isReady(await application(scene, 'plain')) ? 'the Application is Ready again' : undefined,
    },
    {
      title: 'delete the Applications',
      act: ({ cluster }) =>
        cluster.kubectl(['-n', NAMESPACE, 'delete', 'application', 'shop', 'plain', '--wait=false']),
      seen: async (scene) => {
        const left = await Promise.all([
          application(scene, 'shop'),
          application(scene, 'plain'),
          scene.cluster.get('deployment', 'web', 'shop'),
          scene.cluster.get('configmap', 'settings', 'plain'),
        ]);
        return left.every((found) => !found) ? 'the Applications and their objects are gone' : undefined;
      },
    },
  ];
}

function settings(level: string): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n  log-level: ${level}\n`;
}

/** Commits, and requests a refresh so that the step need not wait for the next poll. */
async function push(scene: DemoScene, message: string, files: Record<string, string | null>): Promise<void> {
  await scene.repository.commit(files, { message });
  const request = JSON.stringify({ id: `demo-${Date.now()}`, action: 'refresh' });
  const annotation = `tautline.dev/request=${request}`;
  await scene.cluster.kubectl(['-n', NAMESPACE, 'annotate', '--overwrite', 'application', 'plain', annotation]);
}

function application({ cluster }: DemoScene, name: string): Promise<KubernetesObject | undefined> {
  return cluster.get('applications.tautline.dev', name, NAMESPACE);
}

type Condition = NonNullable<NonNullable<KubernetesObject['status']>['conditions']>[number];

function condition(found: KubernetesObject | undefined, type: string): Condition | undefined {
  return found?.status?.conditions?.find((item) => item.type === type);
}

function isReady(found: KubernetesObject | undefined): boolean {
  const isCurrent = found?.status?.observedGeneration === found?.metadata.generation;
  return isCurrent && condition(found, 'Ready')?.status === 'True';
}

async function waitFor(seen: () => Promise<string | undefined>): Promise<string | undefined> {
  const deadlineMs = performance.now() + STEP_TIMEOUT_MS;
  while (performance.now() < deadlineMs) {
    const result = await seen();
    if (result !== undefined) return result;
    await sleep(50);
  }
  return undefined;
}

async function tellFailure(scene: DemoScene): Promise<number> {
  for (const name of ['shop', 'plain'])
    console.error(JSON.stringify((await application(scene, name))?.status, null, 2));
  console.error(scene.agent.stderr());
  return 1;
}
