/** The CPU time of a kustomization grows with the number of its objects, not with the square of that number. */
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

function cpuMs(count: number): number {
  const tree = memoryTree(overlay(count));
  const start = process.cpuUsage();
  const { manifests, problems } = renderPath({ tree, path: 'app', limits: LIMITS });
  assert.deepEqual(problems, []);
  assert.equal(manifests.length, 2 * count);
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

test('eight times as many objects take about eight times the CPU time, not sixty-four times', () => {
  cpuMs(200);
  const smallMs = Math.min(cpuMs(250), cpuMs(250), cpuMs(250));
  const largeMs = Math.min(cpuMs(2000), cpuMs(2000));
  assert.ok(largeMs / smallMs < 32, `250: ${smallMs} ms, 2000: ${largeMs} ms of CPU`);
});
