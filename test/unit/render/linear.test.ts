/** The cost of a kustomization grows with its objects, not with their square: counted in steps, not in seconds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderPath } from '../../../src/render/render.ts';
import { LIMITS, memoryTree } from './memory-tree.ts';

function overlay(count: number): Parameters<typeof memoryTree>[0] {
  const objects = Array.from({ length: count }, (_, i) => {
    const pod = `{containers: [{name: a, image: "x:1", envFrom: [{configMapRef: {name: c${i}}}]}]}`;
    const workload = `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d${i}}\nspec: {template: {spec: ${pod}}}\n`;
    return `${workload}---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c${i}}\n`;
  });
  const patches = Array.from({ length: count }, (_, i) => {
    return `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d${i}}\nspec: {replicas: 3}\n`;
  });
  const replicas = Array.from({ length: count }, (_, i) => `  - {name: d${i}, count: ${i}}`).join('\n');
  return {
    'base/kustomization.yaml': 'resources: [all.yaml]\n',
    'base/all.yaml': objects.join('---\n'),
    'app/kustomization.yaml': `resources: [../base]\nnamePrefix: p-\nnamespace: ns\npatches: [{path: p.yaml}]\nreplicas:\n${replicas}\n`,
    'app/p.yaml': patches.join('---\n'),
  };
}

function timeMs(count: number): number {
  const tree = memoryTree(overlay(count));
  const start = process.cpuUsage();
  const { manifests, problems } = renderPath({ tree, path: 'app', limits: LIMITS });
  assert.deepEqual(problems, []);
  assert.equal(manifests.length, 2 * count);
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

test('eight times the objects cost about eight times the work, far from sixty-four', () => {
  timeMs(200);
  const small = Math.min(timeMs(250), timeMs(250), timeMs(250));
  const large = Math.min(timeMs(2000), timeMs(2000));
  assert.ok(large / small < 32, `250: ${small} ms, 2000: ${large} ms of CPU`);
});
