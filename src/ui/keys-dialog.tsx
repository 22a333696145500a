/** The dialog that shows the keys of the page. */
import type { VNode } from 'preact';
import { Modal } from './parts/modal.tsx';

const KEYS: readonly (readonly [keys: readonly string[], effect: string])[] = [
  [['/'], 'Search'],
  [['j', 'k'], 'Next and previous row'],
  [['Enter'], 'Open the row'],
  [['←', '→'], 'Close and open a branch of the tree'],
  [['u'], 'All Applications'],
  [['o', 'd', 'h'], 'Objects, differences and history of an Application'],
  [['r'], 'Refresh an Application'],
  [['s'], 'Plan a sync'],
  [['Esc'], 'Close a panel or a dialog'],
  [['?'], 'Show these keys'],
];

export function KeysDialog({ onClose }: { readonly onClose: () => void }): VNode {
  return (
    <Modal title="Keys" onClose={onClose}>
      <dl class="keys">
        {KEYS.map(([keys, effect]) => (
          <div key={effect}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{effect}</dd>
          </div>
        ))}
      </dl>
    </Modal>
  );
}
