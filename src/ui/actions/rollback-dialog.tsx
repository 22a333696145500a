/** A rollback to a commit of the history, with its plan before the button. */
import type { VNode } from 'preact';
import { useId, useState } from 'preact/hooks';
import { readRevision } from '../logic/revision.ts';
import { Modal } from '../parts/modal.tsx';
import type { DialogProps } from './dialog-props.ts';
import { PlanOf } from './plan-view.tsx';
import { PruneChoice, pruneField, type PruneWish } from './prune-choice.tsx';
import { usePlan } from './use-plan.ts';

export function RollbackDialog({ detail, actions, onClose, to }: DialogProps & { readonly to: string }): VNode {
  const id = useId();
  const [prune, setPrune] = useState<PruneWish>('spec');
  const [reason, setReason] = useState('');
  const wish = { revision: to, ...pruneField(prune) };
  const planning = usePlan(detail, actions, wish);
  const entry = detail.history.find(({ revision }) => readRevision(revision).full === to);
  const rollBack = (): void => {
    const why = reason.trim();
    void actions.run('rollback', { ...wish, replace: true, ...(why === '' ? {} : { reason: why }) });
    onClose();
  };
  return (
    <Modal title={`Roll ${detail.name} back to ${to.slice(0, 12)}`} onClose={onClose}>
      {entry?.subject !== undefined && <p class="subject">{entry.subject}</p>}
      <p class="muted">This commit stays in force until a newer one comes, or until you release it.</p>
      <PruneChoice value={prune} onChange={setPrune} />
      <label class="choice" for={id}>
        <span>Reason, for others</span>
        <input
          id={id}
          value={reason}
          maxLength={1024}
          onInput={({ currentTarget }) => setReason(currentTarget.value)}
        />
      </label>
      <PlanOf planning={planning} />
      <footer class="modal-foot">
        <button type="button" onClick={onClose}>
          Cancel
        </button>
        <button type="button" class="danger" disabled={!planning.plan && !planning.refusal} onClick={rollBack}>
          Roll back
        </button>
      </footer>
    </Modal>
  );
}
