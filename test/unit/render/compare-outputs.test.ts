/** Outputs that vary are refused by the names of their fields. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkSameOutput } from '../../../src/render/helm/compare-outputs.ts';
import { readOutput } from '../../../src/render/helm/output.ts';
import { LIMITS } from './memory-tree.ts';

function read(text: string) {
  return readOutput({ limits: LIMITS }, `---\n# Source: web/templates/x.yaml\n${text}`, (name) => name);
}

const secret = (data: string, more = ''): string =>
  `apiVersion: v1\nkind: Secret\nmetadata: {name: login}\ndata: ${data}\n${more}`;

test('equal outputs pass, also with objects in another order', () => {
  const other = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n';
  checkSameOutput(read(`${secret('{a: x}')}---\n${other}`), read(`${other}---\n${secret('{a: x}')}`));
});

test('the fields that differ are named, without their values', () => {
  const difference = (first: string, second: string) => () => checkSameOutput(read(first), read(second));
  assert.throws(difference(secret('{password: one}'), secret('{password: two}')), (error: Error) => {
    assert.match(error.message, /each time: Secret login data\.password$/);
    assert.doesNotMatch(error.message, /one|two/);
    return true;
  });
  assert.throws(difference(secret('{a: x}'), secret('{a: x, b: y}')), /Secret login data\.b/);
  assert.throws(difference(secret('{}', 'list: [1, {a: 2}]\n'), secret('{}', 'list: [1, {a: 3}]\n')), /list\[1\]\.a/);
  assert.throws(difference(secret('{}', 'list: [1]\n'), secret('{}', 'list: [1, 2]\n')), /Secret login list$/);
});

test('objects whose names vary are named', () => {
  const named = (name: string): string => `apiVersion: v1\nkind: Job\nmetadata: {name: ${name}}\n`;
  assert.throws(
    () => checkSameOutput(read(named('a')), read(named('b'))),
    /Job a metadata\.name, Job b metadata\.name/,
  );
});

test('no more than five fields are named', () => {
  const data = (value: number): string => `{${Array.from('abcdefg', (key) => `${key}: ${value}`).join(', ')}}`;
  assert.throws(() => checkSameOutput(read(secret(data(1))), read(secret(data(2)))), /data\.e and 2 more$/);
});
