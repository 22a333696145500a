/** The call of helm: no text of a user can become a flag, a file or an address. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { helmCommand } from '../../../src/helm/arguments.ts';
import type { HelmValues } from '../../../src/render/needs.ts';
import { helmRunOf } from '../../support/helm-run.ts';

const RUN = helmRunOf();
const NO_CLUSTER = { kubeVersion: undefined, apiVersions: [] };
const file: HelmValues = { type: 'file', place: { tree: '', path: 'x' }, oid: 'x' };
const text = (value: string): HelmValues => ({ type: 'text', text: value, isSecret: false });

test('a run without options has the release, the chart and the namespace', () => {
  assert.deepEqual(helmCommand(RUN, NO_CLUSTER), {
    args: ['template', '--namespace=shop', '--include-crds', '--skip-tests', '--', 'web', './chart'],
    input: '',
    valueFiles: [],
  });
});

test('the version of the cluster is given unless the run names another one, and its API versions are added', () => {
  const cluster = { kubeVersion: 'v1.36.3', apiVersions: ['apps/v1', 'v1'] };
  const { args } = helmCommand({ ...RUN, apiVersions: ['a/v1', 'v1'] }, cluster);
  assert.deepEqual(
    args.filter((one) => /^--(kube|api)/.test(one)),
    ['--kube-version=v1.36.3', '--api-versions=apps/v1', '--api-versions=v1', '--api-versions=a/v1'],
  );
  assert.ok(helmCommand({ ...RUN, kubeVersion: '1.30' }, cluster).args.includes('--kube-version=1.30'));
});

test('texts of values go to the standard input in their order, between the files before and after them', () => {
  const { args, input, valueFiles } = helmCommand(
    { ...RUN, values: [file, text('a: 1'), text('b: 2'), file] },
    NO_CLUSTER,
  );
  assert.deepEqual(
    args.filter((one) => one.startsWith('--values')),
    ['--values=./values/0.yaml', '--values=-', '--values=./values/3.yaml'],
  );
  assert.equal(input, 'a: 1\n---\nb: 2');
  assert.deepEqual(valueFiles, []);
});

test('a text behind a later file is written to a file', () => {
  const { args, input, valueFiles } = helmCommand({ ...RUN, values: [text('a: 1'), file, text('b: 2')] }, NO_CLUSTER);
  assert.deepEqual(
    args.filter((one) => one.startsWith('--values')),
    ['--values=-', '--values=./values/1.yaml', '--values=./values/2.yaml'],
  );
  assert.equal(input, 'a: 1');
  assert.deepEqual(valueFiles, [{ path: 'values/2.yaml', text: 'b: 2' }]);
});

test('texts that look like flags stay values of their own flags', () => {
  const { args } = helmCommand(
    { ...RUN, releaseName: '--debug', parameters: [{ name: '--post-renderer', value: '-x', isText: true }] },
    NO_CLUSTER,
  );
  assert.ok(args.includes('--set-string=--post-renderer=-x'));
  assert.deepEqual(args.slice(-3), ['--', '--debug', './chart']);
});

test('a name template replaces the name of the release', () => {
  const { args } = helmCommand({ ...RUN, nameTemplate: 'web-{{ 1 }}' }, NO_CLUSTER);
  assert.ok(args.includes('--name-template=web-{{ 1 }}'));
  assert.deepEqual(args.slice(-3), ['--generate-name', '--', './chart']);
});
