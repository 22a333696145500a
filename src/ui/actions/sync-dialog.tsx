/** A sync, with its plan before the button. */
import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { Modal } from '../parts/modal.tsx';
import type { DialogProps } from './dialog-props.ts';
import { PlanOf } from './plan-view.tsx';
import { PruneChoice, pruneField, type PruneWish } from './prune-choice.tsx';
import { usePlan } from './use-plan.ts';

export function SyncDialog({ detail, actions, onClose }: DialogProps): VNode {
  const [prune, setPrune] = useState<PruneWish>('spec');
  const wish = pruneField(prune);
  const planning = usePlan(detail, actions, wish);
  const sync = (): void => {
    void actions.run('sync', { ...wish, replace: true });
    onClose();
  };
  const losses = planning.plan?.objects.filter(({ action }) => action === 'prune' || action === 'recreate').length ?? 0;
  return (
    <Modal title={`Sync ${detail.name}`} onClose={onClose}>
      <PruneChoice value={prune} onChange={setPrune} />
      <PlanOf planning={planning} />
      <footer class="modal-foot">
        <button type="button" onClick={onClose}>
          Cancel
        </button>
        <button
          type="button"
          class={losses > 0 ? 'danger' : 'primary'}
          disabled={!planning.plan && !planning.refusal}
          onClick={sync}
        >
          {losses > 0 ? `Sync, and delete ${losses}` : 'Sync now'}
        </button>
      </footer>
    </Modal>
  );
}
