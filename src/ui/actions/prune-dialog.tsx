/**
 * The confirmation of a held prune. A confirmation is for exactly the set of objects that a person has seen: it carries
 * their digest, and is taken back where the set changes under the open dialog.
 */
import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { keyOf, nameOf } from '../logic/object-key.ts';
import { readRevision } from '../logic/revision.ts';
import { count } from '../logic/words.ts';
import { Modal } from '../parts/modal.tsx';
import { Notice } from '../parts/notice.tsx';
import type { DialogProps } from './dialog-props.ts';

export function PruneDialog({ detail, actions, onClose }: DialogProps): VNode {
  const [confirmed, setConfirmed] = useState<string | undefined>(undefined);
  const { pruneGuard, objects, deleting, mode, name } = detail;
  const held = pruneGuard?.held;
  if (!held || held.confirmedBy !== undefined) {
    return (
      <Modal title="No prune waits" onClose={onClose}>
        <Notice title="There is nothing to confirm" tone="ok">
          <p>The prune was confirmed, or the objects are back in Git.</p>
        </Notice>
      </Modal>
    );
  }
  const { digest, full } = readRevision(held.revision);
  const going = objects.filter(({ pruning }) => pruning || deleting === true);
  const confirm = (): void => {
    // In the other modes the confirmation has to name the commit, since no newer one is followed.
    const revision = mode !== 'auto' && deleting !== true && full !== '' ? { revision: full } : {};
    void actions.run('confirm-prune', { digest: held.digest, ...revision });
    onClose();
  };
  return (
    <Modal title={`Delete ${count(held.objects, 'object')} of ${name}?`} onClose={onClose}>
      <p>
        {'At '}
        <code>{digest || held.revision}</code>
        {deleting ? ' the Application is deleted with all its objects.' : ' these objects are not in Git any more.'}
        {pruneGuard.objectsBefore !== undefined && ` There were ${count(pruneGuard.objectsBefore, 'object')} before.`}
      </p>
      <div class="plan-group deletion">
        <ul class="going" aria-label="Objects to delete" tabIndex={0}>
          {going.map((object) => (
            <li key={keyOf(object)}>
              <span>{nameOf(object)}</span>
              {object.message !== undefined && <span class="muted">{object.message}</span>}
            </li>
          ))}
        </ul>
      </div>
      <label class="check">
        <input
          type="checkbox"
          checked={confirmed === held.digest}
          onChange={({ currentTarget }) => setConfirmed(currentTarget.checked ? held.digest : undefined)}
        />
        I have read the list. These objects may be deleted.
      </label>
      <footer class="modal-foot">
        <button type="button" onClick={onClose}>
          Cancel
        </button>
        <button type="button" class="danger" disabled={confirmed !== held.digest} onClick={confirm}>
          {`Delete ${count(held.objects, 'object')}`}
        </button>
      </footer>
    </Modal>
  );
}
