/** Warnings of the render and of the API server: in status, on the status API and on the command line. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { text } from '../../support/objects.ts';
import { at, declareSubject } from '../../support/scene.ts';
import { useWorld } from '../../support/use-world.ts';
import { tautline } from './scene.ts';

const { world, agent } = useWorld({ agent: true });

const DEPRECATED = 'warned.example.com/v1alpha1 Widget is deprecated; use v1';

/** A kind with one deprecated version. */
function definition(): Record<string, unknown> {
  const properties = { spec: { type: 'object', properties: { size: { type: 'integer' } } } };
  const schema = { openAPIV3Schema: { type: 'object', properties } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'widgets.warned.example.com' },
    spec: {
      group: 'warned.example.com',
      scope: 'Namespaced',
      names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' },
      versions: [
        { name: 'v1', served: true, storage: true, schema },
        { name: 'v1alpha1', served: true, storage: false, schema, deprecated: true, deprecationWarning: DEPRECATED },
      ],
    },
  };
}

function widget(version: string): string {
  const metadata = { name: 'w' };
  return text({ apiVersion: `warned.example.com/${version}`, kind: 'Widget', metadata, spec: { size: 1 } });
}

function kustomization(labels: Record<string, unknown>): string {
  return JSON.stringify({ kind: 'Kustomization', resources: ['crd.yaml', 'widget.yaml'], ...labels });
}

const OBJECT = 'warned.example.com/Widget/warned/w';
const OLD_LABELS = "'commonLabels' is deprecated. Please use 'labels' instead.";

test('warnings of the render and of the API server stay in status until the commit that mends their cause', async () => {
  const subject = await declareSubject(world, 'warned', {
    files: {
      'kustomization.yaml': kustomization({ commonLabels: { team: 'shop' } }),
      'crd.yaml': text(definition()),
      'widget.yaml': widget('v1alpha1'),
    },
  });
  await subject.application.untilReady();
  assert.equal((await tautline(world, 'refresh', 'warned')).code, 0);
  const warned = await subject.application.until('a warning', (now) => at(now, 'status', 'warnings') !== undefined);
  const warnings = at(warned, 'status', 'warnings') as { object?: string; message: string }[];
  assert.equal(warnings.length, 2);
  assert.ok(warnings[0]?.message.startsWith(OLD_LABELS), warnings[0]?.message);
  assert.deepEqual(warnings[1], { object: OBJECT, message: DEPRECATED });

  const detail: unknown = await (await agent.readApi('/applications/apps/warned')).json();
  assert.deepEqual(at(detail, 'warnings'), warnings);
  const { stdout, stderr } = await tautline(world, 'get', 'warned');
  assert.match(stdout, /^warned +Synced/m);
  assert.match(stderr, /^Warning: 'commonLabels' is deprecated/m);
  assert.ok(stderr.includes(`Warning: Widget.warned.example.com warned/w: ${DEPRECATED}\n`), stderr);

  await subject.repository.commit({
    'kustomization.yaml': kustomization({ labels: [{ pairs: { team: 'shop' } }] }),
    'widget.yaml': widget('v1'),
  });
  assert.equal((await tautline(world, 'refresh', 'warned')).code, 0);
  const mended = await subject.application.until('no warning', (now) => at(now, 'status', 'warnings') === undefined);
  assert.equal(at(mended, 'status', 'sync', 'status'), 'Synced');
});

test('diff prints the warnings of the render and of its dry runs on stderr', async () => {
  const subject = await declareSubject(world, 'differing', {
    files: { 'web.yaml': deployment('web:1') },
    spec: { sync: { mode: 'manual' } },
  });
  assert.equal((await tautline(world, 'sync', 'differing')).code, 0);
  const label = 'pod-security.kubernetes.io/warn=restricted';
  assert.equal((await world.plane.kubectl(['label', 'namespace', 'differing', label])).code, 0);
  const kustomization = { kind: 'Kustomization', bases: [], resources: ['web.yaml'] };
  await subject.repository.commit({
    'kustomization.yaml': JSON.stringify(kustomization),
    'web.yaml': deployment('web:2'),
  });
  assert.equal((await tautline(world, 'refresh', 'differing')).code, 0);
  const { stdout, stderr } = await tautline(world, 'diff', 'differing');
  assert.match(stdout, /^~ Deployment\.apps differing\/web /m, stderr);
  assert.match(stderr, /^# Warning: 'bases' is deprecated/m);
  assert.match(stderr, /^Warning: Deployment\.apps differing\/web: would violate PodSecurity "restricted:latest"/m);
});

function deployment(image: string): string {
  const labels = { app: 'web' };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'main', image }] } };
  const spec = { selector: { matchLabels: labels }, template };
  return text({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' }, spec });
}
