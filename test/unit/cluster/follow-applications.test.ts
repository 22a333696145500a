/** The Applications of a namespace as they change: from a list, a watch, and a list again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  followApplications,
  watchApplications,
  type ApplicationList,
} from '../../../src/cluster/follow-applications.ts';
import type { KubeObject } from '../../../src/object/value.ts';
import { storedOf } from '../../support/applications.ts';
import { refusedWith } from '../../support/changes.ts';

const version = (name: string, resourceVersion: string): KubeObject =>
  storedOf({ name, metadata: { resourceVersion } });
const event = (type: string, object: KubeObject): string => `${JSON.stringify({ type, object })}\n`;

/** Each Application that was handed on, as `name@version`; lists are joined by a blank. */
async function follow(lists: readonly ApplicationList[], watches: readonly (readonly string[])[]): Promise<string[]> {
  const aborting = new AbortController();
  const [leftLists, leftWatches] = [[...lists], [...watches]];
  const seen: string[] = [];
  const followed = followApplications({
    ...{ namespace: 'apps', labelSelector: '', maxLineBytes: 100_000, retryMs: 0, signal: aborting.signal },
    list: async () => leftLists.shift() ?? refusedWith('Forbidden', { message: 'the end' }),
    transport: {
      async openStream() {
        const lines = leftWatches.shift() ?? [];
        return { status: 200, headers: {}, chunks: chunksOf(lines) };
      },
    },
  });
  for await (const one of followed) {
    seen.push('refusal' in one ? one.refusal.message : one.map(textOf).join(' '));
  }
  return seen;
}

function textOf({ metadata }: KubeObject): string {
  return `${String(metadata['name'])}@${String(metadata['resourceVersion'])}`;
}

async function* chunksOf(lines: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const line of lines) yield Buffer.from(line);
}

const listOf = (...value: KubeObject[]): ApplicationList => ({ ok: true, value, resourceVersion: '5' });

test('all Applications come first, then each change once, and a refusal ends it', async () => {
  const seen = await follow(
    [listOf(version('a', '1'), version('b', '2')), listOf(version('a', '6'), version('b', '7'))],
    [[event('MODIFIED', version('a', '6')), event('ADDED', version('c', '8'))], []],
  );
  assert.deepEqual(seen, ['a@1 b@2', 'a@6', 'c@8', 'b@7', 'the end']);
});

test('an outage is waited for, and an error in a watch leads to a new list', async () => {
  const outage = refusedWith('Unavailable', { retry: 'backoff' });
  const expired = `${JSON.stringify({ type: 'ERROR', object: { kind: 'Status', code: 410 } })}\n`;
  const seen = await follow([outage, listOf(version('a', '1')), listOf(version('a', '3'))], [[expired]]);
  assert.deepEqual(seen, ['a@1', 'a@3', 'the end']);
});

test('an empty list is told once', async () => {
  assert.deepEqual(await follow([listOf(), listOf()], []), ['', 'the end']);
});

test('a watch of one Application asks for its name, tells of its deletion, and ends at an error', async () => {
  const paths: string[] = [];
  const lines = [
    event('MODIFIED', version('a', '6')),
    event('DELETED', version('a', '7')),
    event('ERROR', version('a', '8')),
  ];
  const events = watchApplications({
    ...{ namespace: 'apps', selector: { fieldSelector: 'metadata.name=a' }, resourceVersion: '5' },
    ...{ maxLineBytes: 100_000, signal: new AbortController().signal },
    transport: {
      async openStream({ path }) {
        paths.push(path);
        return { status: 200, headers: {}, chunks: chunksOf(lines) };
      },
    },
  });
  const seen: string[] = [];
  for await (const { isDeleted, application } of events) seen.push(`${textOf(application)} ${isDeleted}`);
  assert.deepEqual(seen, ['a@6 false', 'a@7 true']);
  assert.match(paths[0] ?? '', /fieldSelector=metadata\.name%3Da&resourceVersion=5&/);
});
