/** The dialog that the address names, if any: `?do=sync`, `?do=confirm-prune`, `?do=rollback&to=COMMIT`. */
import type { VNode } from 'preact';
import { useQuery } from '../parts/use-query.ts';
import type { DialogProps } from './dialog-props.ts';
import { PruneDialog } from './prune-dialog.tsx';
import { RollbackDialog } from './rollback-dialog.tsx';
import { SyncDialog } from './sync-dialog.tsx';

export function ActionDialogs({ detail, actions }: Omit<DialogProps, 'onClose'>): VNode | null {
  const { query, change } = useQuery();
  const props = { detail, actions, onClose: () => change({ do: undefined, to: undefined }, true) };
  if (query['do'] === 'sync') return <SyncDialog {...props} />;
  if (query['do'] === 'confirm-prune') return <PruneDialog {...props} />;
  const to = query['to'] ?? '';
  return query['do'] === 'rollback' && /^[0-9a-f]{40,64}$/.test(to) ? <RollbackDialog {...props} to={to} /> : null;
}
