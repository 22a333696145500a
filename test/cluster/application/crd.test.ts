/**
 * The CRD on a real API server: it passes strict validation, fills in defaults, refuses the same specs as the parser
 * with the same messages, and gives kubectl its columns and explanations.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildCrd, printCrd } from '../../../src/application/crd.ts';
import { encodeInventory } from '../../../src/application/inventory.ts';
import { parseApplication } from '../../../src/application/parse.ts';
import { specSchema } from '../../../src/application/schema.ts';
import { valueAt, type KubeObject, type Value, type ValueMap } from '../../../src/object/value.ts';
import { prepare, useControlPlane } from '../../support/use-world.ts';
import { ACCEPTED_SPECS, REFUSED_SPECS, validSpec } from '../../unit/application/spec-cases.ts';
import { applicationManifest } from '../../support/objects.ts';

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const APPLICATIONS = '/apis/tautline.dev/v1alpha1/namespaces/default/applications';

const plane = useControlPlane();

prepare(async () => {
  const created = await plane.request('POST', `${CRDS}?fieldValidation=Strict`, buildCrd());
  assert.equal(created.code, 201, JSON.stringify(created.body));
  while (!(await isEstablished())) await new Promise((resolve) => setTimeout(resolve, 50));
});

test('the CRD is served without a warning about its names or schema', async () => {
  const { body } = await plane.request('GET', `${CRDS}/applications.tautline.dev`);
  const conditions = valueAt(body as Value, 'status', 'conditions') as ValueMap[];
  assert.deepEqual(conditions.map(({ type, status }) => `${String(type)}=${String(status)}`).sort(), [
    'Established=True',
    'NamesAccepted=True',
  ]);
});

test('the API server fills in the same defaults as the parser', async () => {
  const stored = await create('defaults', validSpec());
  assert.deepEqual(stored['spec'], JSON.parse(JSON.stringify(specSchema.parse(validSpec()))));
});

test('the API server refuses the same specs as the parser, with the same messages', async () => {
  for (const { name, spec, message } of REFUSED_SPECS) {
    const answer = await plane.request('POST', `${APPLICATIONS}?dryRun=All`, application('refused', spec));
    assert.equal(answer.code, 422, `${name}: ${JSON.stringify(answer.body)}`);
    if (message !== undefined) assert.ok(JSON.stringify(answer.body).includes(message), `${name}: ${message}`);
  }
});

test('the API server accepts the same specs as the parser', async () => {
  for (const { name, spec } of ACCEPTED_SPECS) {
    const answer = await plane.request('POST', `${APPLICATIONS}?dryRun=All`, application('accepted', spec));
    assert.equal(answer.code, 201, `${name}: ${JSON.stringify(answer.body)}`);
  }
});

test('an unknown field is refused under strict validation', async () => {
  const typo = application('typo', { ...validSpec(), prune: true });
  const answer = await plane.request('POST', `${APPLICATIONS}?fieldValidation=Strict`, typo);
  assert.equal(answer.code, 400);
  assert.match(JSON.stringify(answer.body), /unknown field \\"spec\.prune\\"/);
});

test('status is a subresource: writing it does not change the generation, and writing the resource does not change the status', async () => {
  const stored = await create('split', validSpec());
  const written = await putStatus(stored, fullStatus());
  assert.equal(valueAt(written, 'metadata', 'generation'), 1);
  assert.deepEqual(written['status'], JSON.parse(JSON.stringify(fullStatus())));
  const both = { ...written, spec: { ...validSpec(), suspend: true }, status: {} };
  const { body } = await plane.request('PUT', `${APPLICATIONS}/split`, both);
  assert.equal(valueAt(body as Value, 'metadata', 'generation'), 2);
  assert.deepEqual(valueAt(body as Value, 'status'), written['status']);
});

test('the parser reads every field of a stored status', async () => {
  const stored = await create('readback', validSpec());
  const parsed = parseApplication(await putStatus(stored, fullStatus()));
  assert.ok(parsed.ok);
  assert.deepEqual(JSON.parse(JSON.stringify(parsed.application.status)), JSON.parse(JSON.stringify(fullStatus())));
});

test('kubectl get prints sync, health, readiness and the short commit, and with -o wide the message', async () => {
  await putStatus(await create('columns', validSpec()), fullStatus());
  const { stdout } = await plane.kubectl(['get', 'tla', 'columns']);
  assert.match(
    stdout,
    /^NAME +SYNC +HEALTH +READY +REVISION +AGE\ncolumns +OutOfSync +Degraded +False +0123456789ab +\d+s\n$/,
  );
  const wide = await plane.kubectl(['get', 'gitops', 'columns', '-o', 'wide']);
  assert.match(wide.stdout, /MESSAGE\n.* web has no ready replica\n$/);
});

test('kubectl explain shows a field with its default', async () => {
  const { stdout } = await plane.kubectl(['explain', 'application.spec.source']);
  assert.match(stdout, /repoURL\s+<string> -required-/);
  assert.match(stdout, /Default: HEAD/);
  assert.doesNotMatch(stdout, /<empty>/);
});

test('kubectl applies the printed CRD over the stored one', async () => {
  const applied = await plane.kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], {
    input: printCrd(),
  });
  assert.equal(applied.code, 0, applied.stderr);
});

function application(name: string, spec: ValueMap): KubeObject {
  return applicationManifest(name, spec, { namespace: 'default' });
}

async function create(name: string, spec: ValueMap): Promise<KubeObject> {
  const answer = await plane.request('POST', APPLICATIONS, application(name, spec));
  assert.equal(answer.code, 201, JSON.stringify(answer.body));
  return answer.body as KubeObject;
}

async function putStatus(stored: KubeObject, status: object): Promise<KubeObject> {
  const path = `${APPLICATIONS}/${String(valueAt(stored, 'metadata', 'name'))}/status?fieldValidation=Strict`;
  const answer = await plane.request('PUT', path, { ...stored, status });
  assert.equal(answer.code, 200, JSON.stringify(answer.body));
  return answer.body as KubeObject;
}

async function isEstablished(): Promise<boolean> {
  const { body } = await plane.request('GET', `${CRDS}/applications.tautline.dev`);
  const conditions = (valueAt(body as Value, 'status', 'conditions') ?? []) as ValueMap[];
  const isTrue = conditions.some(({ type, status }) => type === 'Established' && status === 'True');
  return isTrue && (await plane.request('GET', APPLICATIONS)).code === 200;
}

/** A status with every field that the schema knows. */
function fullStatus(): object {
  const at = '2026-01-02T03:04:05Z';
  const revision = 'main@sha1:0123456789abcdef0123456789abcdef01234567';
  const commit = '0123456789ab';
  const web = { group: 'apps', kind: 'Deployment', namespace: 'shop', name: 'web' };
  const counts = {
    synced: 1,
    outOfSync: 1,
    healthy: 0,
    progressing: 0,
    degraded: 1,
    suspended: 0,
    missing: 1,
    unknown: 0,
  };
  return {
    observedGeneration: 1,
    conditions: [
      {
        type: 'Ready',
        status: 'False',
        reason: 'HealthCheckFailed',
        message: 'web has no ready replica',
        lastTransitionTime: at,
        observedGeneration: 1,
      },
    ],
    sync: {
      status: 'OutOfSync',
      revision,
      commit,
      lastAppliedRevision: revision,
      lastAttemptedRevision: revision,
      digest: 'x'.repeat(43),
      lastSyncedAt: at,
    },
    health: { status: 'Degraded', message: 'Deployment.apps shop/web' },
    counts: { total: 2, ...counts, pruning: 0, problems: 0 },
    resources: [{ ...web, sync: 'OutOfSync', health: 'Degraded', message: 'replicas' }],
    warnings: [{ message: "'bases' is deprecated" }, { object: 'apps/Deployment/shop/web', message: 'use apps/v1' }],
    inventory: encodeInventory([web, { group: '', kind: 'Namespace', namespace: '', name: 'shop' }]),
    history: [{ revision, commit, startedAt: at, finishedAt: at, outcome: 'Failed', message: 'Timed out.' }],
    lastRequest: { id: 'r-1', action: 'sync', outcome: 'Failed', message: 'Timed out.', finishedAt: at },
    lastHandledReconcileAt: 'token',
    nextAttemptAt: at,
  };
}
