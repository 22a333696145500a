/** The commands that use a cluster, up to the first request: flags, help, tables and connection errors. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { syncFieldsOf } from '../../../src/cli/sync.ts';
import { formatAge, formatTable } from '../../../src/cli/table.ts';
import { kubeconfigText } from '../../support/kubeconfig.ts';
import { nodeEnvironment } from '../../support/node-environment.ts';
import { builtFile } from '../../support/built-program.ts';

const CLI = builtFile('cli.js');

function tautline(args: readonly string[], environment: Record<string, string> = {}) {
  const env = { ...nodeEnvironment(), HOME: '/nonexistent', ...environment };
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], { encoding: 'utf8', env });
  return { status, stdout, stderr };
}

test('a request to sync holds only the fields whose flags are given', () => {
  const nothing = { revision: undefined, prune: undefined, dryRun: false, objects: [] };
  assert.deepEqual(syncFieldsOf(nothing), { action: 'sync' });
  assert.deepEqual(syncFieldsOf({ ...nothing, prune: false, dryRun: true }), {
    action: 'sync',
    prune: false,
    dryRun: true,
  });
});

test('an object of the core group may be given without a leading slash', () => {
  const objects = ['ConfigMap/shop/a', 'apps/Deployment/shop/web', '/Namespace//shop'];
  const fields = syncFieldsOf({ revision: undefined, prune: undefined, dryRun: false, objects });
  assert.deepEqual('objects' in fields && fields.objects, ['/ConfigMap/shop/a', objects[1], objects[2]]);
});

test('columns are as wide as their widest cell, and no line ends in a space', () => {
  const table = formatTable(
    ['NAME', 'SYNC'],
    [
      ['a', 'Synced'],
      ['longer-name', '-'],
    ],
  );
  assert.equal(table, 'NAME          SYNC\na             Synced\nlonger-name   -\n');
});

test('an age is shown in the largest unit that fits at least twice', () => {
  const ages = [0, 59, 119, 120, 7_199, 7_200, 172_799, 172_800, 63_072_000].map((seconds) =>
    formatAge(seconds * 1000),
  );
  assert.deepEqual(ages, ['0s', '59s', '119s', '2m', '119m', '2h', '47h', '2d', '2y']);
});

test('an invalid command line ends with exit code 2 before any request', () => {
  const wrong = [
    ['wait', 'shop', '--timeout', '5'],
    ['wait', 'shop', '--for', 'happy'],
    ['wait'],
    ['get', '-o', 'xml'],
    ['sync'],
    ['diff', 'shop', '--bogus'],
    ['events', 'shop', '--limit', '0'],
    ['tree', 'shop', '-o', 'wide'],
    ['history'],
  ];
  for (const args of wrong) {
    const { status, stderr } = tautline(args);
    assert.equal(status, 2, args.join(' '));
    assert.match(stderr, /^Error: /);
  }
});

test('the help lists every command and its flags', () => {
  const help = tautline(['--help']).stdout;
  const inspecting = ['why', 'tree', 'history', 'events', 'trace', 'suspend', 'resume'];
  for (const name of ['get', 'refresh', 'sync', 'confirm', 'take-over', 'wait', 'diff', ...inspecting]) {
    assert.match(help, new RegExp(`^ {2}${name}[ |]`, 'm'));
    const { status, stdout } = tautline([name, '--help']);
    assert.equal(status, 0);
    assert.match(stdout, /--kubeconfig <file>[\s\S]*--context <name>[\s\S]*--namespace <name>/);
  }
});

test('a missing or unreadable kubeconfig ends with one sentence that names it', () => {
  const none = tautline(['get']);
  assert.equal(none.status, 1);
  assert.match(none.stderr, /^Error: there is no kubeconfig at .*--kubeconfig or the variable KUBECONFIG\n$/);
  const unread = tautline(['diff', 'shop'], { KUBECONFIG: '/nonexistent/config' });
  assert.equal(unread.status, 2);
  assert.match(unread.stderr, /^Error: cannot read kubeconfig \/nonexistent\/config: ENOENT\n$/);
});

test('several existing files of KUBECONFIG are merged, and others are left out', () => {
  const dir = mkdtempSync(join(tmpdir(), 'tautline-kubeconfig-'));
  try {
    const [one = '', two = '', none = ''] = ['one', 'two', 'none'].map((name) => join(dir, name));
    writeFileSync(one, 'kind: Config\n');
    writeFileSync(two, kubeconfigText({ cluster: { server: 'http://127.0.0.1:1' } }));
    const { status, stderr } = tautline(['get'], { KUBECONFIG: [none, one, two].join(delimiter) });
    assert.equal(status, 1);
    assert.match(stderr, /^Error: .*http:\/\/127\.0\.0\.1:1.*ECONNREFUSED/);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test('a name that cannot be that of an Application or namespace ends with one sentence before any request', () => {
  for (const args of [
    ['get', 'deployment/shop'],
    ['wait', ''],
    ['sync', 'shop', '-n', 'Bad NS'],
    ['diff', 'a/b/c'],
    ['confirm', 'Shop'],
    ['why', 'deployment/shop'],
    ['trace', 'web'],
    ['suspend', 'Shop'],
    ['resume', 'shop', '--all'],
    ['get', 'shop', '-A'],
  ]) {
    const { status, stderr } = tautline(args, { KUBECONFIG: '/nonexistent/config' });
    assert.equal(status, 2, args.join(' '));
    assert.match(stderr, /^Error: [^\n]+\n$/, args.join(' '));
    assert.doesNotMatch(stderr, /\n +at |kubeconfig/);
  }
});

test('diff needs an Application, and refuses a folder that does not exist by the name that was written', () => {
  assert.match(tautline(['diff']).stderr, /^Error: name an Application, or its file with --filename\n$/);
  const { status, stderr } = tautline(['diff', 'shop', '--local', '/nosuch/folder']);
  assert.deepEqual([status, stderr], [2, 'Error: there is no folder /nosuch/folder\n']);
});

test('an API server that does not answer is reported with its address', () => {
  const dir = mkdtempSync(join(tmpdir(), 'tautline-kubeconfig-'));
  try {
    writeFileSync(join(dir, 'config'), kubeconfigText({ cluster: { server: 'http://127.0.0.1:1' } }));
    const { status, stderr } = tautline(['get', '--kubeconfig', join(dir, 'config')]);
    assert.equal(status, 1);
    assert.match(stderr, /^Error: .*http:\/\/127\.0\.0\.1:1.*ECONNREFUSED/);
    assert.doesNotMatch(stderr, /\n +at /);
  } finally {
    rmSync(dir, { recursive: true });
  }
});
