/** The story of `npm run demo -- --once`: each step does one thing and waits until the cluster shows its result. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Stage } from './demo.ts';
import type { KubernetesObject } from './demo-cluster.ts';

const NAMESPACE = 'tautline-demo';
const STEP_TIMEOUT_MS = 60_000;

interface Step {
  readonly title: string;
  readonly act: (stage: Stage) => Promise<unknown>;
  /** undefined: not yet; a text: what was seen. */
  readonly seen: (stage: Stage) => Promise<string | undefined>;
}

/** Exit code: 0 only if every step's result was seen in time. */
export async function tellStory(stage: Stage, declarations: readonly string[]): Promise<number> {
  for (const step of steps(declarations)) {
    const startedMs = performance.now();
    await step.act(stage);
    const result = await waitFor(() => step.seen(stage));
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(2);
    console.log(
      `${result === undefined ? '✗' : '✔'} ${step.title.padEnd(44)} ${seconds.padStart(6)} s  ${result ?? 'not seen'}`,
    );
    if (result === undefined) return tellFailure(stage);
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
      seen: async (stage) => {
        const all = await Promise.all(['shop', 'plain'].map((name) => application(stage, name)));
        if (!all.every((found) => isReady(found) && found?.status?.health?.status === 'Healthy')) return undefined;
        return `${all.reduce((total, found) => total + (found?.status?.counts?.synced ?? 0), 0)} objects Synced and Healthy`;
      },
    },
    {
      title: 'push a commit: another log level',
      act: (stage) => push(stage, 'raise the log level', { 'plain/settings.yaml': settings('debug') }),
      seen: async ({ cluster }) => {
        const found = await cluster.get('configmap', 'settings', 'plain');
        return found?.data?.['log-level'] === 'debug' ? 'live: log-level=debug' : undefined;
      },
    },
    {
      title: 'edit an object by hand: 5 replicas',
      act: ({ cluster }) => cluster.kubectl(['-n', 'shop', 'scale', 'deployment', 'web', '--replicas=5']),
      seen: async ({ cluster }) => {
        const found = await cluster.get('deployment', 'web', 'shop');
        return found?.spec?.replicas === 3 ? 'back to 3 replicas' : undefined;
      },
    },
    {
      title: 'delete an object by hand',
      act: ({ cluster }) => cluster.kubectl(['-n', 'shop', 'delete', 'service', 'web', '--wait=true']),
      seen: async ({ cluster }) => ((await cluster.get('service', 'web', 'shop')) ? 'the Service is back' : undefined),
    },
    {
      title: 'take a manifest out of Git',
      act: (stage) => push(stage, 'drop the widget', { 'plain/widget.yaml': null }),
      seen: async (stage) => {
        const isGone = !(await stage.cluster.get('widgets.example.com', 'first', 'plain'));
        return isGone && isReady(await application(stage, 'plain')) ? 'the Widget is pruned' : undefined;
      },
    },
    {
      title: 'push a broken manifest',
      act: (stage) =>
        push(stage, 'break a manifest', { 'plain/broken.yaml': 'apiVersion: v1\nkind: ConfigMap\n  name: x\n' }),
      seen: async (stage) => {
        const message = condition(await application(stage, 'plain'), 'Ready')?.message ?? '';
        const isKept = await stage.cluster.get('configmap', 'settings', 'plain');
        return isKept && message.includes('broken.yaml:') ? message.split('\n')[0] : undefined;
      },
    },
    {
      title: 'mend it',
      act: (stage) => push(stage, 'mend the manifest', { 'plain/broken.yaml': null }),
      seen: async (stage) => (isReady(await application(stage, 'plain')) ? 'Ready again' : undefined),
    },
    {
      title: 'delete the Applications',
      act: ({ cluster }) =>
        cluster.kubectl(['-n', NAMESPACE, 'delete', 'application', 'shop', 'plain', '--wait=false']),
      seen: async (stage) => {
        const left = await Promise.all([
          application(stage, 'shop'),
          application(stage, 'plain'),
          stage.cluster.get('deployment', 'web', 'shop'),
          stage.cluster.get('configmap', 'settings', 'plain'),
        ]);
        return left.every((found) => !found) ? 'their objects are gone' : undefined;
      },
    },
  ];
}

function settings(level: string): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n  log-level: ${level}\n`;
}

/** Commits, and asks for a refresh as a webhook would. */
async function push(stage: Stage, message: string, files: Record<string, string | null>): Promise<void> {
  await stage.repository.commit(files, { message });
  const request = JSON.stringify({ id: `demo-${Date.now()}`, action: 'refresh' });
  const annotation = `tautline.dev/request=${request}`;
  await stage.cluster.kubectl(['-n', NAMESPACE, 'annotate', '--overwrite', 'application', 'plain', annotation]);
}

function application({ cluster }: Stage, name: string): Promise<KubernetesObject | undefined> {
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
  const deadline = performance.now() + STEP_TIMEOUT_MS;
  while (performance.now() < deadline) {
    const result = await seen();
    if (result !== undefined) return result;
    await sleep(50);
  }
  return undefined;
}

async function tellFailure(stage: Stage): Promise<number> {
  for (const name of ['shop', 'plain'])
    console.error(JSON.stringify((await application(stage, name))?.status, null, 2));
  console.error(stage.agent.stderr());
  return 1;
}
