/**
 * The chart on a real cluster: the API server accepts its objects, its Pod is admitted under the restricted Pod
 * security standard, and an agent with only the token of the chart's ServiceAccount can do all its work.
 *
 * The tests build on each other: install of the previous chart, upgrade, work in both modes of rights, uninstall.
 */
import assert from 'node:assert/strict';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse, stringify } from 'yaml';
import { demoCluster } from '../journey/demo-cluster.ts';
import { declarations, NAMESPACE as DEMO, readExamples } from '../journey/demo-examples.ts';
import { tellStory } from '../journey/demo-story.ts';
import { startAgentProcess, type RunningAgent } from '../support/agent.ts';
import { createRepository } from '../support/git-repository.ts';
import { startGitServer } from '../support/git-server.ts';
import { prepare, useControlPlane, useStarted } from '../support/use-world.ts';
import { eventually } from '../support/world.ts';
import { foreignCrds } from './foreign-crds.ts';
import { CHART, NAMESPACE, openHelm } from './helm.ts';
import { installSteps } from './install-page.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { TENANT, tenantObjects } from './tenant.ts';
import { ACCEPTED } from './values-table.ts';

const PREVIOUS_CHART = join(import.meta.dirname, 'previous');
const ACCOUNT = `system:serviceaccount:${NAMESPACE}:tautline`;
const CRD = 'crd/applications.tautline.dev';

const root = useStarted('the folder', () => mkdtempDisposable(join(tmpdir(), 'tautline-chart-')));
const plane = useControlPlane({ mode: 'full' });
const helm = useStarted('helm', () => openHelm(plane.kubeconfig));
const git = useStarted('the Git server', () => startGitServer(root.path));

prepare(async () => {
  const labels = {
    'pod-security.kubernetes.io/enforce': 'restricted',
    'pod-security.kubernetes.io/warn': 'restricted',
  };
  await apply([...foreignCrds(), { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE, labels } }]);
  await kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=60s']);
});

/** Fails the test with kubectl's words unless it succeeds. */
async function kubectl(args: readonly string[], input?: string): Promise<string> {
  const { code, stdout, stderr } = await plane.kubectl(args, input === undefined ? {} : { input });
  assert.equal(code, 0, `kubectl ${args.join(' ')}: ${stderr}`);
  return stdout;
}

function apply(objects: readonly unknown[], ...flags: string[]): Promise<string> {
  const list = { apiVersion: 'v1', kind: 'List', items: objects };
  return kubectl(['apply', '--server-side', ...flags, '-f', '-'], JSON.stringify(list));
}

async function runHelm(args: readonly string[], values?: unknown): Promise<void> {
  const { code, stderr } = await helm.run([...args, '--namespace', NAMESPACE], values);
  assert.equal(code, 0, `helm ${args.join(' ')}: ${stderr}`);
  assert.doesNotMatch(stderr, /violate PodSecurity/);
}

const isAllowed = async (account: string, ...action: string[]): Promise<boolean> => {
  const { stdout } = await plane.kubectl(['auth', 'can-i', ...action, `--as=${account}`]);
  return stdout.trim() === 'yes';
};

/** An agent whose kubeconfig holds the token of the chart's ServiceAccount and nothing else. */
async function startChartAgent(flags: readonly string[]): Promise<RunningAgent> {
  const kubeconfig = join(root.path, 'kubeconfig');
  await writeKubeconfig(kubeconfig, plane, await plane.serviceAccountToken(NAMESPACE, 'tautline'));
  return startAgentProcess({ kubeconfig, flags });
}

/** Runs all steps of the demo with this agent, and with these fields in the spec of each Application. */
async function runDemo(agent: RunningAgent, name: string, spec: Readonly<Record<string, unknown>>): Promise<void> {
  const repository = await createRepository(git, name);
  await repository.commit(await readExamples());
  const declared = (await declarations(repository)).map((text) => {
    const object = parse(text) as { kind: string; spec: Record<string, unknown> };
    return stringify(object.kind === 'Application' ? { ...object, spec: { ...object.spec, ...spec } } : object);
  });
  const [started] = agent.log.filter(({ msg }) => msg === 'tautline started');
  assert.doesNotMatch(String(started?.['cluster']), /^http/, 'the agent cannot read the identity of the cluster');
  assert.equal(await tellStory({ cluster: demoCluster(plane), repository, agent }, declared), 0);
}

for (const [name, values] of Object.entries(ACCEPTED)) {
  test(`the API server accepts every object of the chart with ${name}`, async () => {
    await apply(await helm.render(values), '--dry-run=server', '--validate=strict', '--force-conflicts');
  });
}

test('the previous chart rolls out under the restricted Pod security standard', async () => {
  await runHelm(['install', 'tautline', PREVIOUS_CHART, '--wait', '--timeout', '5m'], {});
  const pods = await kubectl(['-n', NAMESPACE, 'get', 'pods', '-o', 'name']);
  assert.equal(pods.trim().split('\n').length, 1);
});

test('an upgrade updates the CRD and keeps the Applications', async () => {
  const before = JSON.parse(await kubectl(['get', CRD, '-o', 'json'])) as { metadata: { uid: string } };
  await apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: DEMO } }, keptApplication()]);
  await runHelm(['upgrade', 'tautline', CHART, '--wait', '--timeout', '5m'], {});
  const after = JSON.parse(await kubectl(['get', CRD, '-o', 'json'])) as { metadata: { uid: string }; spec: unknown };
  assert.equal(after.metadata.uid, before.metadata.uid);
  const [wanted] = (await helm.render()).filter(({ kind }) => kind === 'CustomResourceDefinition');
  const drift = await plane.kubectl(['diff', '--server-side', '--force-conflicts', '-f', '-'], {
    input: JSON.stringify(wanted),
  });
  assert.equal(drift.code, 0, drift.stdout + drift.stderr);
  await kubectl(['-n', DEMO, 'get', 'application', 'kept']);
  await kubectl(['-n', NAMESPACE, 'rollout', 'status', 'deployment/tautline', '--timeout=60s']);
});

function keptApplication(namespace = DEMO): unknown {
  return {
    apiVersion: 'tautline.dev/v1alpha1',
    kind: 'Application',
    metadata: { name: 'kept', namespace },
    spec: {
      source: { repoURL: `${git.url}/kept.git`, path: '.' },
      serviceAccountName: TENANT,
      destination: { namespace },
    },
  };
}

test('the agent itself may list Applications, write their status and impersonate ServiceAccounts, but not write objects', async () => {
  const allowed = [
    ['list', 'applications.tautline.dev', '--all-namespaces'],
    ['update', 'applications.tautline.dev', '--subresource=status', '-n', 'default'],
    ['impersonate', 'serviceaccounts'],
  ];
  const forbidden = [
    ['get', 'secrets'],
    ['create', 'configmaps'],
    ['create', 'applications.tautline.dev'],
    ['update', 'applications.tautline.dev'],
    ['delete', 'applications.tautline.dev'],
    ['impersonate', 'users'],
    ['impersonate', 'groups'],
    ['list', 'namespaces'],
    ['patch', 'customresourcedefinitions'],
  ];
  for (const action of allowed) assert.ok(await isAllowed(ACCOUNT, ...action), action.join(' '));
  for (const action of forbidden) assert.ok(!(await isAllowed(ACCOUNT, ...action)), action.join(' '));
});

test('a user who may view or edit a namespace may do the same with its Applications', async () => {
  for (const role of ['view', 'edit']) {
    await kubectl(['-n', 'default', 'create', 'rolebinding', role, `--clusterrole=${role}`, `--user=${role}er`]);
  }
  const application = ['applications.tautline.dev', '-n', 'default'];
  // The controller that aggregates the ClusterRoles takes a moment.
  await eventually(async () => ((await isAllowed('editer', 'create', ...application)) ? true : undefined));
  assert.ok(await isAllowed('viewer', 'get', ...application));
  assert.ok(!(await isAllowed('viewer', 'create', ...application)));
  assert.ok(await isAllowed('editer', 'create', ...application));
  assert.ok(!(await isAllowed('editer', 'update', ...application, '--subresource=status')));
});

test('an agent without rights of its own does all its work as the ServiceAccount of the Applications', async () => {
  await apply(tenantObjects(DEMO));
  const kept = await createRepository(git, 'kept');
  await kept.commit({ 'cm.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kept}\ndata: {a: b}\n' });
  await using agent = await startChartAgent(['--allow-cross-namespace', 'false']);
  await runDemo(agent, 'tenants', { serviceAccountName: TENANT });
  await kubectl(['-n', DEMO, 'wait', '--for=condition=Ready', 'application/kept', '--timeout=60s']);
  const events = JSON.parse(await kubectl(['-n', DEMO, 'get', 'events.events.k8s.io', '-o', 'json'])) as {
    items: { reportingController: string }[];
  };
  assert.ok(events.items.some(({ reportingController }) => reportingController.startsWith('tautline')));
  await deleteTenantNamespace('leaving');
  assert.equal(await agent.stop(), 0, agent.stderr());
});

/** Asserts that a namespace can be deleted with its Application, ServiceAccount and rights. */
async function deleteTenantNamespace(namespace: string): Promise<void> {
  const accounts = tenantObjects(namespace).filter((object) => !JSON.stringify(object).includes('demo-definitions'));
  await apply(
    [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }, ...accounts],
    '--force-conflicts',
  );
  await apply([keptApplication(namespace)]);
  await kubectl(['-n', namespace, 'wait', '--for=condition=Ready', 'application/kept', '--timeout=60s']);
  // The account goes first, so that the agent can no longer act as it to finish the Application.
  await kubectl(['-n', namespace, 'delete', 'serviceaccount', TENANT]);
  await kubectl(['delete', 'namespace', namespace, '--timeout=120s']);
}

test('an agent that may impersonate accounts of one namespace may not impersonate those of another', async () => {
  await runHelm(['upgrade', 'tautline', CHART], { rbac: { impersonateNamespaces: [DEMO] } });
  assert.ok(await isAllowed(ACCOUNT, 'impersonate', 'serviceaccounts', '-n', DEMO));
  assert.ok(!(await isAllowed(ACCOUNT, 'impersonate', 'serviceaccounts', '-n', 'kube-system')));
});

test('an agent with the rights of a cluster administrator does all its work as itself', async () => {
  await runHelm(['upgrade', 'tautline', CHART], { rbac: { clusterAdmin: true, impersonate: false } });
  await using agent = await startChartAgent(['--allow-cross-namespace', 'true']);
  await runDemo(agent, 'administrator', {});
  assert.equal(await agent.stop(), 0, agent.stderr());
});

test('an uninstall keeps the CRD, the Applications and their objects', async () => {
  await runHelm(['uninstall', 'tautline', '--wait', '--timeout', '5m']);
  await kubectl(['get', CRD]);
  await kubectl(['-n', DEMO, 'get', 'application', 'kept']);
  await kubectl(['-n', DEMO, 'get', 'configmap', 'kept']);
  const left = await kubectl(['get', 'clusterrole,clusterrolebinding', '-o', 'name']);
  assert.doesNotMatch(left, /tautline/);
});

test('every command of docs/install.md succeeds', async () => {
  const files = new Map<string, string>();
  const path = (word: string): string => files.get(word) ?? (word === 'charts/tautline' ? CHART : word);
  for (const step of installSteps()) {
    if (step.type === 'file') {
      files.set(step.name, join(root.path, step.name));
      await writeFile(join(root.path, step.name), step.text);
      continue;
    }
    const [program = '', ...words] = step.words;
    const args = words.map(path);
    const { code, stdout, stderr } = await (program === 'helm' ? helm.run(args) : plane.kubectl(args));
    assert.equal(code, 0, `${step.words.join(' ')}: ${stdout}${stderr}`);
  }
});
