/**
 * A matrix of situations in which nothing may be deleted: each cell removes an object from Git while something that a
 * prune relies on is missing, wrong or unknown, and starts an agent without memory.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rename } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { startFaultProxy, type Fault } from '../../fault/proxy.ts';
import { prepare, useStarted, useWorld } from '../../support/use-world.ts';
import type { Json } from '../../support/world.ts';
import { edit } from '../../support/kubectl.ts';
import { configMap, text } from '../../support/objects.ts';
import {
  at,
  configMapPath,
  declareSubject,
  inventoryOf,
  OWNER,
  PART_OF,
  putStatus,
  readyMessage,
  readyReason,
  untilGone,
  type Subject,
} from '../../support/scene.ts';

const { world } = useWorld();
const proxy = useStarted('the proxy', () => {
  const { url, caFile, adminToken } = world.plane;
  return startFaultProxy({ target: url, caFile, token: adminToken });
});
const subjects = new Map<string, Subject>();

interface Cell {
  /** Brings the situation about before the agent starts. Resolves to a function that ends it. */
  readonly spoil: (subject: Subject) => Promise<() => Promise<unknown>>;
  /** Status and reason of Ready in this situation. */
  readonly told: RegExp;
  /** Matches the message of Ready. */
  readonly message?: RegExp;
  /** Once the situation is over, the object is pruned after all, or the agent never touches it again. */
  readonly afterwards: 'pruned' | 'kept';
}

function status(code: number, reason: string): Fault {
  return {
    type: 'answer',
    status: code,
    body: { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message: `made up: ${reason}` },
  };
}

/** `b` leaves Git, and matching requests are answered with the fault until the situation is over. */
function failing(path: RegExp, fault: Fault, method = 'GET'): Cell['spoil'] {
  return async (subject) => {
    await leaveGit(subject);
    const rule = { path, method, fault };
    proxy.rules.push(rule);
    return async () => proxy.rules.splice(proxy.rules.indexOf(rule), 1);
  };
}

/** `b` leaves Git in one commit with these changes; `mend` is the commit that ends the situation. */
function commits(files: Record<string, string | null>, mend: Record<string, string | null>): Cell['spoil'] {
  return async ({ repository }) => {
    await repository.commit({ 'app/b.yaml': null, ...files });
    return () => repository.commit(mend);
  };
}

function leaveGit({ repository }: Subject): Promise<string> {
  return repository.commit({ 'app/b.yaml': null });
}

/** Changes `b` by hand, and removes it from Git. */
function edits(patch: unknown): Cell['spoil'] {
  return async (subject) => {
    await edit(world, 'configmap/b', { namespace: subject.namespace, patch });
    await leaveGit(subject);
    return async () => undefined;
  };
}

async function writeStatus({ application }: Subject, change: (status: Record<string, unknown>) => void): Promise<void> {
  const status = { ...(at(await application.read(), 'status') as Record<string, unknown>) };
  change(status);
  await putStatus(world, application.path, status);
}

const COLLECTION = /\/configmaps(\?|$)/;
const OF_B = /\/configmaps\/b(\?|$)/;

const CELLS: Readonly<Record<string, Cell>> = {
  'lists are answered with 500': {
    spoil: failing(COLLECTION, status(500, 'InternalError')),
    told: /False ObservationFailed/,
    afterwards: 'pruned',
  },
  'lists are answered with 410': {
    spoil: failing(COLLECTION, status(410, 'Expired')),
    told: /False ObservationFailed/,
    afterwards: 'pruned',
  },
  'lists are answered with 429': {
    spoil: failing(COLLECTION, status(429, 'TooManyRequests')),
    told: /False ObservationFailed/,
    afterwards: 'pruned',
  },
  'lists are cut in the middle and look complete': {
    spoil: failing(COLLECTION, { type: 'cut', afterBytes: 60, isClean: true }),
    told: /False ObservationFailed/,
    afterwards: 'pruned',
  },
  'lists and reads are forbidden': {
    spoil: failing(/\/configmaps(\/|\?|$)/, status(403, 'Forbidden')),
    told: /False ObservationFailed/,
    afterwards: 'pruned',
  },
  'its last read before the delete fails': {
    spoil: failing(OF_B, status(500, 'InternalError')),
    told: /False PruneFailed/,
    message: /ConfigMap \S+\/b/,
    afterwards: 'pruned',
  },
  'its last read before the delete is forbidden': {
    spoil: failing(OF_B, status(403, 'Forbidden')),
    told: /False PruneFailed/,
    afterwards: 'pruned',
  },
  'its delete is refused': {
    spoil: failing(OF_B, status(403, 'Forbidden'), 'DELETE'),
    told: /False PruneFailed/,
    afterwards: 'pruned',
  },
  'another object cannot be applied': {
    spoil: commits(
      { 'app/bad.yaml': text({ ...configMap('bad', {}), data: { k: 1 } }) },
      { 'app/bad.yaml': text(configMap('bad', {})) },
    ),
    told: /False ReconciliationFailed/,
    afterwards: 'pruned',
  },
  'a file is not YAML': {
    spoil: commits({ 'app/bad.yaml': '{ no: [yaml' }, { 'app/bad.yaml': null }),
    told: /False BuildFailed/,
    afterwards: 'pruned',
  },
  'the folder cannot be rendered at all': {
    spoil: commits({ 'app/kustomization.yaml': 'resources: [nowhere.yaml]' }, { 'app/kustomization.yaml': null }),
    told: /False BuildFailed/,
    afterwards: 'pruned',
  },
  'a kind is unknown': {
    spoil: commits(
      { 'app/odd.yaml': text({ apiVersion: 'example.com/v1', kind: 'Odd', metadata: { name: 'odd' } }) },
      { 'app/odd.yaml': null },
    ),
    told: /False BuildFailed/,
    afterwards: 'pruned',
  },
  'the folder renders nothing': {
    spoil: commits(
      { 'app/a.yaml': null, 'app/readme.md': 'empty' },
      { 'app/a.yaml': text(configMap('a', { k: '1' })) },
    ),
    told: /False EmptyRender/,
    afterwards: 'pruned',
  },
  'the folder is gone': {
    spoil: commits({ app: null, 'readme.md': 'gone' }, { 'app/a.yaml': text(configMap('a', { k: '1' })) }),
    told: /False BuildFailed/,
    afterwards: 'pruned',
  },
  'the branch is gone': {
    async spoil(subject) {
      const commit = await leaveGit(subject);
      await subject.repository.deleteBranch('main');
      return () => subject.repository.branch('main', commit);
    },
    told: /False ArtifactFailed/,
    afterwards: 'pruned',
  },
  'the repository is gone': {
    async spoil(subject) {
      const { dir } = subject.repository;
      await leaveGit(subject);
      await rename(dir, `${dir}.away`);
      return () => rename(`${dir}.away`, dir);
    },
    told: /False ArtifactFailed/,
    afterwards: 'pruned',
  },
  'the inventory is lost': {
    async spoil(subject) {
      await leaveGit(subject);
      await writeStatus(subject, (status) => delete status['inventory']);
      return async () => undefined;
    },
    told: /True ReconciliationSucceeded/,
    afterwards: 'kept',
  },
  'the whole status is lost': {
    async spoil(subject) {
      await leaveGit(subject);
      await writeStatus(subject, (status) => Object.keys(status).forEach((key) => delete status[key]));
      return async () => undefined;
    },
    told: /True ReconciliationSucceeded/,
    afterwards: 'kept',
  },
  'the inventory cannot be read': {
    async spoil(subject) {
      await leaveGit(subject);
      const whole = at(await subject.application.read(), 'status', 'inventory');
      await writeStatus(subject, (status) => (status['inventory'] = { gzip: 'H4sIno' }));
      return () => writeStatus(subject, (status) => (status['inventory'] = whole));
    },
    told: /False ReconciliationFailed/,
    message: /inventory cannot be read/,
    afterwards: 'pruned',
  },
  'its label names another owner': {
    spoil: edits({ metadata: { labels: { [PART_OF]: 'applyset-other-v1' } } }),
    told: /True/,
    afterwards: 'kept',
  },
  'its label is gone': {
    spoil: edits({ metadata: { labels: { [PART_OF]: null } } }),
    told: /True/,
    afterwards: 'kept',
  },
  'its annotation names another owner': {
    spoil: edits({ metadata: { annotations: { [OWNER]: 'hub/apps/other' } } }),
    told: /True/,
    afterwards: 'kept',
  },
  'its annotation is gone': {
    spoil: edits({ metadata: { annotations: { [OWNER]: null } } }),
    told: /True/,
    afterwards: 'kept',
  },
  'a controller owns it': {
    async spoil(subject) {
      const uid = at(await subject.configMap('a'), 'metadata', 'uid');
      const reference = { apiVersion: 'v1', kind: 'ConfigMap', name: 'a', uid, controller: true };
      return edits({ metadata: { ownerReferences: [reference] } })(subject);
    },
    told: /True/,
    afterwards: 'kept',
  },
  'it was deleted and created again by hand under the same name': {
    async spoil(subject) {
      await world.send('DELETE', configMapPath(subject.namespace, 'b'));
      await world.apply(configMap('b', { theirs: '1' }, { namespace: subject.namespace }), 'someone');
      await leaveGit(subject);
      return async () => undefined;
    },
    told: /True/,
    afterwards: 'kept',
  },
};

const nameOf = (index: number): string => `cell-${index}`;

prepare(async () => {
  const agent = await world.agent();
  for (const index of Object.keys(CELLS).keys()) {
    const subject = await declareSubject(world, nameOf(index), {
      files: { 'app/a.yaml': text(configMap('a', { k: '1' })), 'app/b.yaml': text(configMap('b', { k: '1' })) },
    });
    await subject.application.patch({ source: { path: 'app' } });
    subjects.set(subject.name, subject);
  }
  for (const { application } of subjects.values())
    await application.until('applied', (a) => inventoryOf(a).length === 2);
  for (const { application } of subjects.values()) await application.untilReady();
  await agent.stop();
});

const uidOf = (object: Json | undefined): unknown => at(object, 'metadata', 'uid');
const FLAGS = [
  '--min-backoff',
  '200ms',
  '--max-backoff',
  '1s',
  '--min-poll-backoff',
  '200ms',
  '--max-poll-backoff',
  '1s',
];

Object.entries(CELLS).forEach(([what, cell], index) => {
  test(`nothing is deleted while ${what}`, async () => {
    const subject = subjects.get(nameOf(index));
    assert.ok(subject);
    const { application, namespace } = subject;
    const mend = await cell.spoil(subject);
    const uid = uidOf(await subject.configMap('b'));
    assert.ok(uid);
    const before = proxy.requests.length;
    await using agent = await world.agent({ kubeconfig: proxy.kubeconfig, flags: FLAGS });
    try {
      const isAsTold = (a: Json): boolean => cell.told.test(readyReason(a));
      const told = await application.until(
        what,
        cell.afterwards === 'kept' ? (a) => isAsTold(a) && !holdsB(a, subject) : isAsTold,
      );
      if (cell.message) assert.match(readyMessage(told), cell.message);
      await sleep(500);
      const deletes = proxy.requests
        .slice(before)
        .filter(({ method, path, fault }) => method === 'DELETE' && path.includes('/configmaps/') && !fault);
      assert.deepEqual(deletes, []);
      assert.equal(uidOf(await subject.configMap('b')), uid);
    } finally {
      await mend();
    }
    await application.refresh();
    if (cell.afterwards === 'pruned') await untilGone(world, configMapPath(namespace, 'b'));
    else assert.equal(uidOf(await subject.configMap('b')), uid);
    const ready = await application.untilReady();
    assert.ok(inventoryOf(ready).includes(`ConfigMap ${namespace}/a`));
    assert.ok(!holdsB(ready, subject));
    assert.ok(await subject.configMap('a'));
    assert.ok(agent.log.length > 0);
  });
});

function holdsB(application: Json, { namespace }: Subject): boolean {
  return inventoryOf(application).includes(`ConfigMap ${namespace}/b`);
}
