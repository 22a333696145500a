/** An annotation that asks for a confirmation counts until the DELETE is sent, not only when the pass began. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAgentInProcess } from '../../support/agent-in-process.ts';
import { useWorld } from '../../support/use-world.ts';
import { edit } from '../../support/kubectl.ts';
import { configMap, text } from '../../support/objects.ts';
import { configMapPath, declareSubject, readyMessage, readyReason, untilGone } from '../../support/scene.ts';

const { world } = useWorld();

test('an object that is annotated with Prune=confirm while its prune begins is kept until a person confirms it', async () => {
  let annotate: (() => Promise<void>) | undefined;
  const agent = await startAgentInProcess(world.plane.kubeconfig, {
    settings: { progressCheck: '500ms' },
    onFaultPoint: async (point) => {
      if (point !== 'inventory-written') return;
      const run = annotate;
      annotate = undefined;
      await run?.();
    },
  });
  try {
    const files = { 'kept.yaml': text(configMap('rest', {})), 'left.yaml': text(configMap('asks', {})) };
    const subject = await declareSubject(world, 'late', { files });
    await subject.application.untilReady();
    const patch = { metadata: { annotations: { 'argocd.argoproj.io/sync-options': 'Prune=confirm' } } };
    annotate = () => edit(world, 'configmap/asks', { namespace: 'late', patch });
    await subject.repository.commit({ 'left.yaml': null });
    await subject.application.refresh();
    const held = await subject.application.until('the prune is held', (now) => /PruneHeld/.test(readyReason(now)));
    assert.equal(annotate, undefined, 'the annotation came during the pass that began the prune');
    assert.match(readyMessage(held), /ConfigMap late\/asks needs a confirmation/);
    assert.ok(await subject.configMap('asks'));
    await subject.application.request({ action: 'confirm-prune' });
    await untilGone(world, configMapPath('late', 'asks'));
    await subject.application.untilReady();
  } finally {
    await agent.stop();
  }
});
