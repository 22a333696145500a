/** The commands that print logs, Applications for Git, and versions. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exportOf } from '../../../src/cli/export.ts';
import { notFound } from '../../../src/cli/find-application.ts';
import { showLogs, type LogsCommand } from '../../../src/cli/logs.ts';
import { agentVersions } from '../../../src/cli/server-versions.ts';
import type { LogQuestion } from '../../../src/cluster/ports.ts';
import type { KubeObject } from '../../../src/object/value.ts';
import { accessTo, application, object, printed } from './fake-cluster.ts';

const inventory = { objects: { 'apps/Deployment': { shop: 'web' } } };
const LOGS: LogsCommand = { name: 'shop', previous: false, lines: 2 };

function podOf(name: string, owner: KubeObject, isReady: boolean): KubeObject {
  const statuses = ['app', 'proxy'].map((container) => ({ name: container, ready: isReady, restartCount: 0 }));
  const status = {
    phase: 'Running',
    containerStatuses: statuses,
    conditions: [{ type: 'Ready', status: String(isReady) }],
  };
  return object('Pod', name, { spec: { containers: [{ name: 'app' }, { name: 'proxy' }] }, status }, owner);
}

function cluster(asked: LogQuestion[] = []) {
  const web = object('apps/Deployment', 'web');
  const set = object('apps/ReplicaSet', 'web-1', { spec: { replicas: 2 } }, web);
  const bodies = [application({ inventory }), web, set, podOf('a', set, true), podOf('b', set, true)];
  return accessTo(bodies, {
    async readLog(question) {
      asked.push(question);
      if (question.container === 'proxy') {
        return { ok: false, refusal: { code: 'Forbidden', status: 403, message: 'you may not', retry: 'never' } };
      }
      return { ok: true, text: `one\ntwo\n\u001b[2Jthree of ${question.pod}\n` };
    },
  });
}

test('logs prints the last lines of each container, and names each log that cannot be read', async (t) => {
  const asked: LogQuestion[] = [];
  const output = printed(t);
  const code = await showLogs(cluster(asked), application({ inventory }), LOGS);
  const { stdout, stderr } = output();
  assert.equal(code, 0);
  assert.deepEqual(
    asked.map(({ pod, container }) => `${pod} ${container}`),
    ['a app', 'a proxy', 'b app', 'b proxy'],
  );
  assert.match(stdout, /==> shop\/a app <==\ntwo\n\\u001b\[2Jthree of a\n\n==> shop\/b app <==/);
  assert.match(stderr, /the log of shop\/a, container proxy, is not shown: you may not/);
});

test('logs takes one container of one Pod, and fails where no log is shown', async (t) => {
  const asked: LogQuestion[] = [];
  printed(t);
  const one = { ...LOGS, pod: 'b', container: 'app', previous: true };
  assert.equal(await showLogs(cluster(asked), application({ inventory }), one), 0);
  assert.deepEqual(
    asked.map(({ pod, container, isPrevious }) => [pod, container, isPrevious]),
    [['b', 'app', true]],
  );
  assert.equal(await showLogs(cluster(), application({ inventory }), { ...LOGS, container: 'proxy' }), 1);
  assert.equal(await showLogs(cluster(), application({ inventory }), { ...LOGS, pod: 'none' }), 1);
});

test('an exported Application has what a person writes, and nothing of the API server and the agent', () => {
  const stored = application({ sync: { status: 'Synced' } });
  const annotations = {
    'applyset.kubernetes.io/tooling': 'tautline/v0.1.0',
    'kubectl.kubernetes.io/last-applied-configuration': '{}',
    'tautline.dev/request': '{}',
    team: 'shop',
  };
  const labels = { 'applyset.kubernetes.io/id': 'x' };
  const metadata = { ...stored.metadata, annotations, labels, managedFields: [], finalizers: ['tautline.dev/x'] };
  assert.deepEqual(exportOf({ ...stored, metadata }), {
    apiVersion: 'tautline.dev/v1alpha1',
    kind: 'Application',
    metadata: { name: 'shop', namespace: 'apps', annotations: { team: 'shop' } },
    spec: stored['spec'],
  });
});

test('the versions of agents are those that they wrote on Applications', () => {
  const by = (written: string): KubeObject => ({
    ...application(),
    metadata: { ...application().metadata, annotations: { 'applyset.kubernetes.io/tooling': written } },
  });
  assert.equal(
    agentVersions([by('tautline/v0.2.0'), by('tautline/v0.1.0'), by('tautline/v0.2.0'), by('kubectl/v1')]),
    'Agent: 0.1.0 (of 1 Applications)\nAgent: 0.2.0 (of 2 Applications)\n',
  );
  assert.match(agentVersions([application()]), /no agent has taken up/);
});

test('every command suggests the nearest name for an Application that does not exist', async () => {
  const { cluster: known } = accessTo([application()]);
  assert.match(await notFound(known, { namespace: 'apps', name: 'shpo' }), /did you mean shop\?$/);
});
