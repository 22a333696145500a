/**
 * The chart through `helm lint` and `helm template`: accepted and refused values, and agreement with the agent's code.
 */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { printCrd } from '../../src/application/crd.ts';
import { defaultClusterLimits } from '../../src/cluster/limits.ts';
import { SETTINGS, readConfig } from '../../src/config/config.ts';
import { VERSION } from '../../src/config/version.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { readValueRows } from '../../scripts/chart-readme.ts';
import { FLAGS_OF_THE_CHART } from '../../scripts/chart-schema.ts';
import { useStarted } from '../support/use-world.ts';
import { CHART, openHelm, readObjects, type KubeObject } from './helm.ts';
import { INSTALL_PAGE } from './install-page.ts';
import { ACCEPTED, REFUSED } from './values-table.ts';

const helm = useStarted('helm', () => openHelm());

const read = (path: string): string => readFileSync(join(CHART, path), 'utf8');

function find(objects: readonly KubeObject[], kind: string, name?: string): KubeObject {
  const found = objects.find((object) => object.kind === kind && (!name || object.metadata.name === name));
  return found ?? assert.fail(`no ${kind} ${name ?? ''}`);
}

interface Container {
  readonly image: string;
  readonly args: readonly string[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
}

function containerOf(objects: readonly KubeObject[]): Container {
  const { template } = find(objects, 'Deployment')['spec'] as { template: { spec: { containers: [Container] } } };
  return template.spec.containers[0];
}

for (const [name, values] of Object.entries(ACCEPTED)) {
  test(`the chart passes lint and renders with ${name}`, async () => {
    const linted = await helm.run(['lint', '--strict', CHART, '--namespace', 'x'], values);
    assert.equal(linted.code, 0, linted.stdout + linted.stderr);
    const objects = await helm.render(values);
    const { args } = containerOf(objects);
    const flags = args.slice(1).map((argument) => /^--([a-z-]+)=(.*)$/.exec(argument) ?? assert.fail(argument));
    const settings = Object.entries(SETTINGS);
    const byName = flags.map(([, flag, value]) => {
      const setting = settings.find(([, known]) => known.flag === flag);
      return [setting?.[0] ?? assert.fail(`the agent has no flag --${flag}`), value ?? ''] as const;
    });
    const config = readConfig(Object.fromEntries(byName), {});
    assert.ok(config.ok, config.ok ? '' : config.problem);
  });
}

for (const [name, { values, reason }] of Object.entries(REFUSED)) {
  test(`the chart refuses ${name}`, async () => {
    await assert.rejects(helm.render(values), reason);
  });
}

test('every setting of the agent is a value of the chart or is set by the chart itself', () => {
  const { properties } = JSON.parse(read('values.schema.json')) as {
    properties: { settings: { properties: Record<string, unknown> } };
  };
  const flags = Object.values(SETTINGS).map(({ flag }) => flag as string);
  const known = [...Object.keys(properties.settings.properties), ...FLAGS_OF_THE_CHART];
  assert.deepEqual(known.sort(), flags.sort());
});

test('the memory sizes in the default values are the defaults of the agent', async () => {
  const { args } = containerOf(await helm.render());
  const byFlag = new Map(Object.values(SETTINGS).map((setting) => [setting.flag as string, setting.default]));
  const sizes = args.flatMap((argument) => /^--((?:heap|sandbox)-.*)=(.*)$/.exec(argument)?.slice(1, 3) ?? []);
  assert.ok(sizes.length > 0);
  for (let i = 0; i < sizes.length; i += 2) assert.equal(sizes[i + 1], byFlag.get(sizes[i] ?? ''), sizes[i]);
});

test('the grace period of the Pod is longer than the longest drain', async () => {
  const config = readConfig({}, {});
  assert.ok(config.ok);
  // A request under way, the status after it, and what the connection still holds.
  const drainMs = 2 * config.config.requestTimeoutMs + defaultClusterLimits.drainTimeoutMs;
  const { template } = find(await helm.render(), 'Deployment')['spec'] as {
    template: { spec: { terminationGracePeriodSeconds: number } };
  };
  assert.ok(template.spec.terminationGracePeriodSeconds * 1000 > drainMs, `${drainMs} ms`);
});

test('the chart, its appVersion and the package have the same version', () => {
  const [chart] = readObjects(read('Chart.yaml'));
  assert.equal(chart?.['version'], VERSION);
  assert.equal(chart?.['appVersion'], VERSION);
});

test('a share of the API server is kept for the account of the agent where that is asked for', async () => {
  assert.ok(!(await helm.render()).some(({ apiVersion }) => apiVersion.startsWith('flowcontrol')));
  const objects = await helm.render({ flowControl: { enabled: true }, serviceAccount: { name: 'ours' } });
  const level = find(objects, 'PriorityLevelConfiguration');
  const { priorityLevelConfiguration, rules, distinguisherMethod } = find(objects, 'FlowSchema')['spec'] as {
    readonly priorityLevelConfiguration: unknown;
    readonly rules: readonly { readonly subjects: unknown }[];
    readonly distinguisherMethod: unknown;
  };
  assert.deepEqual(priorityLevelConfiguration, { name: level.metadata.name });
  assert.deepEqual(distinguisherMethod, { type: 'ByNamespace' });
  const { namespace } = find(objects, 'Deployment').metadata;
  const account = { kind: 'ServiceAccount', serviceAccount: { name: 'ours', namespace } };
  assert.deepEqual(
    rules.map(({ subjects }) => subjects),
    [[account]],
  );
});

test('the image reference contains registry, repository and tag, or the digest instead of the tag', async () => {
  const imageOf = async (image: unknown): Promise<string> => containerOf(await helm.render({ image })).image;
  assert.equal(await imageOf({}), `tautline:${VERSION}`);
  assert.equal(await imageOf({ registry: 'r.example.com', tag: 'v9' }), 'r.example.com/tautline:v9');
  const digest = `sha256:${'a'.repeat(64)}`;
  assert.equal(await imageOf({ repository: 'team/tautline', tag: 'v9', digest }), `team/tautline@${digest}`);
});

test('the CRD of the chart is the one that the program prints, and is kept on uninstall by default', async () => {
  const [printed] = readObjects(printCrd());
  const kept = find(await helm.render(), 'CustomResourceDefinition');
  assert.equal(kept.metadata.annotations?.['helm.sh/resource-policy'], 'keep');
  const bare = find(await helm.render({ crds: { keep: false } }), 'CustomResourceDefinition');
  assert.deepEqual(bare, printed);
  assert.deepEqual(kept['spec'], printed?.['spec']);
});

test('host keys of SSH servers are a ConfigMap of the chart, or one that is named', async () => {
  const lines = 'git.example.com ssh-ed25519 AAAA\n';
  const own = await helm.render({ ssh: { knownHosts: lines } });
  const map = own.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name.endsWith('-ssh-known-hosts'));
  assert.equal((map?.['data'] as { ssh_known_hosts?: string } | undefined)?.ssh_known_hosts, lines);
  const text = JSON.stringify(own.find(({ kind }) => kind === 'Deployment'));
  assert.match(text, /--ssh-known-hosts=\/ssh-known-hosts\/ssh_known_hosts/);
  assert.ok(text.includes(`"name":"${map?.metadata.name}"`));
  const named = await helm.render({ ssh: { knownHostsConfigMap: 'argocd-ssh-known-hosts-cm' } });
  assert.ok(!named.some(({ metadata }) => metadata.name.endsWith('-ssh-known-hosts')));
  assert.match(JSON.stringify(named), /"configMap":\{"name":"argocd-ssh-known-hosts-cm"\}/);
  assert.doesNotMatch(JSON.stringify(await helm.render()), /ssh-known-hosts/);
});

test('checks of health are a ConfigMap of the chart, whose change starts another Pod, or one that is named', async () => {
  const checks = [{ apiVersion: 'example.com/v1', kind: 'Thing', current: 'status.ready == true' }];
  const own = await helm.render({ healthChecks: { checks } });
  const map = own.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name.endsWith('-health-checks'));
  assert.match((map?.['data'] as { 'checks.yaml'?: string } | undefined)?.['checks.yaml'] ?? '', /kind: Thing/);
  const text = JSON.stringify(own.find(({ kind }) => kind === 'Deployment'));
  assert.match(text, /--health-checks=\/health-checks\/checks\.yaml/);
  assert.match(text, /"tautline\.dev\/health-checks":"[0-9a-f]{64}"/);
  assert.ok(text.includes(`"name":"${map?.metadata.name}"`));
  const named = JSON.stringify(await helm.render({ healthChecks: { configMap: 'team-checks' } }));
  assert.match(named, /"configMap":\{"name":"team-checks"\}/);
  const without = (await helm.render()).filter(({ kind }) => kind !== 'CustomResourceDefinition');
  assert.doesNotMatch(JSON.stringify(without), /health-checks/);
});

test('the status API is reachable from outside the Pod only with a Service', async () => {
  const argsWith = async (values: unknown): Promise<readonly string[]> => containerOf(await helm.render(values)).args;
  assert.ok((await argsWith({})).includes('--api-address=127.0.0.1:8080'));
  assert.ok((await argsWith({ api: { service: true } })).includes('--api-address=0.0.0.0:8080'));
  const signIn = await argsWith({ api: { sessionKeySecretName: 'session', oidcClientSecretName: 'oidc' } });
  assert.ok(signIn.includes('--session-key-file=/session-key/key'));
  assert.ok(signIn.includes('--oidc-client-secret-file=/oidc-client/client-secret'));
});

test('every port of a Service or of the NetworkPolicy is a port of the container', async () => {
  const objects = await helm.render(ACCEPTED['every switch on']);
  const { ports } = containerOf(objects);
  const names = ports.map(({ name }) => name);
  assert.deepEqual(names, ['probes', 'metrics', 'api', 'webhook']);
  for (const service of objects.filter(({ kind }) => kind === 'Service')) {
    const { ports: exposed } = service['spec'] as { ports: { targetPort: string }[] };
    for (const { targetPort } of exposed) assert.ok(names.includes(targetPort), targetPort);
  }
  const { ingress } = find(objects, 'NetworkPolicy')['spec'] as { ingress: { ports: { port: number }[] }[] };
  assert.deepEqual(
    ingress.flatMap((rule) => rule.ports.map(({ port }) => port)),
    ports.map(({ containerPort }) => containerPort),
  );
});

/** Names of the series that the agent exposes; a histogram counts as its three parts. */
async function exposedSeries(): Promise<Set<string>> {
  const metrics = createMetrics({ version: VERSION });
  metrics.showQueue(() => ({ waiting: 0, active: 0, added: 0, retries: 0, longest: undefined }));
  const { body } = await metrics.expose();
  const types = [...body.matchAll(/^# TYPE (\w+) (\w+)$/gm)];
  return new Set(
    types.flatMap(([, name = '', type]) =>
      type === 'histogram' ? ['_bucket', '_sum', '_count'].map((part) => name + part) : [name],
    ),
  );
}

test('alerts and dashboards query only series that the agent exposes', async () => {
  const exposed = await exposedSeries();
  const objects = await helm.render(ACCEPTED['every switch on']);
  const { groups } = find(objects, 'PrometheusRule')['spec'] as { groups: { rules: { expr: string }[] }[] };
  const boards = objects.filter(({ kind }) => kind === 'ConfigMap').map((object) => JSON.stringify(object['data']));
  assert.equal(boards.length, 3);
  const queried = [...groups.flatMap(({ rules }) => rules.map(({ expr }) => expr)), ...boards].flatMap(
    (text) => text.match(/\btautline_\w+/g) ?? [],
  );
  assert.ok(queried.length > 20);
  assert.deepEqual([...new Set(queried)].filter((name) => !exposed.has(name)).sort(), []);
});

test('every dashboard has a variable for its data source, and no fixed uid', () => {
  for (const name of readdirSync(join(CHART, 'files/dashboards'))) {
    const board = JSON.parse(read(`files/dashboards/${name}`)) as {
      uid?: string;
      templating: { list: { name: string }[] };
      panels: { id: number; datasource: { uid: string } }[];
    };
    assert.equal(board.uid, undefined);
    assert.equal(board.templating.list[0]?.name, 'datasource');
    for (const { datasource } of board.panels) assert.equal(datasource.uid, '${datasource}');
  }
});

test('every alert has a section in docs/alerts.md, and its runbook URL leads there', async () => {
  const page = readFileSync(join(CHART, '../../docs/alerts.md'), 'utf8');
  const headings = [...page.matchAll(/^## (\w+)$/gm)].map(([, heading]) => heading);
  const rule = find(await helm.render(ACCEPTED['every switch on']), 'PrometheusRule');
  const { groups } = rule['spec'] as {
    groups: { rules: { alert: string; annotations: { runbook_url: string; summary: string } }[] }[];
  };
  const rules = groups.flatMap((group) => group.rules);
  assert.deepEqual(
    rules.map(({ alert }) => alert),
    headings,
  );
  for (const { alert, annotations } of rules) {
    assert.equal(annotations.runbook_url, `https://example.com/alerts#${alert.toLowerCase()}`);
    assert.doesNotMatch(annotations.summary, /\[\[|\]\]/);
  }
});

test('the notes after an install warn of the rights of the agent', async () => {
  const notesWith = async (values: unknown): Promise<string> => {
    const args = ['install', 'tautline', CHART, '--dry-run=client', '--namespace', 'x'];
    const { code, stdout, stderr } = await helm.run(args, values);
    assert.equal(code, 0, stderr);
    return stdout.slice(stdout.indexOf('NOTES:'));
  };
  assert.match(await notesWith({ rbac: { clusterAdmin: true } }), /WARNING: rbac\.clusterAdmin/);
  assert.match(await notesWith({}), /may act as every ServiceAccount/);
  assert.match(await notesWith({ rbac: { impersonate: false } }), /rbac\.extraRules/);
});

test('the notes after an install warn of an image without a registry, and show a first Application', async () => {
  const notesWith = async (values: unknown): Promise<string> => {
    const args = ['install', 'tautline', CHART, '--dry-run=client', '--namespace', 'x'];
    const { stdout } = await helm.run(args, values);
    return stdout.slice(stdout.indexOf('NOTES:'));
  };
  assert.match(await notesWith({}), /WARNING: image\.registry is empty/);
  assert.doesNotMatch(await notesWith({ image: { registry: 'registry.example.com' } }), /image\.registry/);
  assert.match(await notesWith({}), /kind: Application[\s\S]*serviceAccountName: deployer/);
  assert.doesNotMatch(await notesWith({ rbac: { clusterAdmin: true } }), /serviceAccountName/);
});

test('every value that docs/install.md names exists', () => {
  const rows = readValueRows(read('values.yaml')).map((row) => row.path);
  const flags = Object.values(SETTINGS).map(({ flag }) => `settings.${flag}`);
  const known = new Set([...rows, ...flags, ...rows.map((row) => row.slice(0, row.lastIndexOf('.')))]);
  const topLevelKeys = new Set(rows.map((row) => row.split('.')[0]));
  const named = [...INSTALL_PAGE.matchAll(/`([a-z]+\.[A-Za-z.-]+)`/g)].map(([, name = '']) => name);
  const values = named.filter((name) => topLevelKeys.has(name.split('.')[0]) && !name.endsWith('.yaml'));
  assert.ok(values.length >= 15);
  assert.deepEqual(
    values.filter((name) => !known.has(name) && !rows.some((row) => name.startsWith(`${row}.`))),
    [],
  );
});

test('docs/install.md lists every right of the agent', async () => {
  const role = find(await helm.render(), 'ClusterRole');
  const rules = role['rules'] as { resources: string[]; verbs: string[] }[];
  const rows = INSTALL_PAGE.split('\n').filter((line) => line.startsWith('| `'));
  for (const { resources, verbs } of rules) {
    const row = rows.find((line) => line.includes(`${resources[0]}`) && line.includes(`: ${verbs.join(', ')} |`));
    assert.ok(row, `${resources.join()}: ${verbs.join()}`);
  }
  assert.equal(rows.length, rules.length);
});
