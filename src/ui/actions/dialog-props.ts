/** The properties that all dialogs of actions have. */
import type { ApplicationDetail } from '../../server/api/schema.ts';
import type { Actions } from '../application/use-actions.ts';

export interface DialogProps {
  readonly detail: ApplicationDetail;
  readonly actions: Actions;
  readonly onClose: () => void;
}
