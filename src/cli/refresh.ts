/** `tautline refresh NAME…` and `take-over NAME…`: requests without options, for one or several Applications. */
import type { Choice } from './application-name.ts';
import type { ExitCode } from './exit-code.ts';
import { forEachName, sendRequest, type RequestFields } from './send-request.ts';
import type { ClusterFlags } from './with-cluster.ts';

export interface RefreshCommand extends ClusterFlags, Choice {
  readonly replace: boolean;
  /** undefined: do not wait for the answer. */
  readonly timeoutMs: number | undefined;
}

export function runRefresh(command: RefreshCommand): Promise<ExitCode> {
  return sendToAll(command, { action: 'refresh' });
}

export function runTakeOver(command: RefreshCommand): Promise<ExitCode> {
  return sendToAll(command, { action: 'take-over' });
}

function sendToAll(command: RefreshCommand, fields: RequestFields): Promise<ExitCode> {
  const { replace, timeoutMs } = command;
  return forEachName(command, (access, name, isOneOfSeveral) =>
    sendRequest(access, { name, replace, timeoutMs, fields, isOneOfSeveral }),
  );
}
