/** Another client that keeps writing the metadata of an Application. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { configMap, text } from '../../support/objects.ts';
import { at, declareSubject, untilGone } from '../../support/scene.ts';
import { useWorld } from '../../support/use-world.ts';

const { world } = useWorld({ agent: true });

/** Shorter than a pass over the objects of the test. */
const BEAT_MS = 50;

async function whileWriting(
  path: string,
  annotate: (beat: number) => Record<string, string>,
  work: () => Promise<void>,
) {
  const ending = new AbortController();
  const writing = (async () => {
    for (let beat = 1; !ending.signal.aborted; beat++) {
      await world.plane.request('PATCH', path, { metadata: { annotations: annotate(beat) } });
      await sleep(BEAT_MS);
    }
  })();
  try {
    await work();
  } finally {
    ending.abort();
    await writing;
  }
}

const writers: readonly (readonly [what: string, annotate: (beat: number) => Record<string, string>])[] = [
  ['an annotation of its own', (beat) => ({ 'example.com/heartbeat': String(beat) })],
  ['the request to look again', (beat) => ({ 'reconcile.fluxcd.io/requestedAt': String(beat) })],
];
for (const [index, [what, annotate]] of writers.entries()) {
  test(`a commit is applied and told while another client keeps writing ${what}`, async () => {
    const name = `writer-${index}`;
    const objects = (v: string): string => text(...Array.from({ length: 200 }, (_, i) => configMap(`c-${i}`, { v })));
    const subject = await declareSubject(world, name, { files: { 'a.yaml': objects('1') } });
    await subject.application.untilReady();
    await whileWriting(subject.application.path, annotate, async () => {
      const commit = await subject.repository.commit({ 'a.yaml': objects('2') });
      if (index === 0) await subject.application.request({ action: 'refresh' });
      const told = await subject.application.until('the commit is told as applied', (application) =>
        String(at(application, 'status', 'sync', 'lastAppliedRevision')).endsWith(commit),
      );
      assert.equal(at(told, 'status', 'counts', 'synced'), 200);
    });
    await subject.application.untilReady();
  });
}

test('an Application is deleted while another client keeps writing its annotations', async () => {
  const subject = await declareSubject(world, 'ending', { files: { 'a.yaml': text(configMap('a', { v: '1' })) } });
  await subject.application.untilReady();
  await whileWriting(
    subject.application.path,
    (beat) => ({ 'example.com/heartbeat': String(beat) }),
    async () => {
      await subject.application.remove();
      await untilGone(world, subject.application.path);
    },
  );
});
