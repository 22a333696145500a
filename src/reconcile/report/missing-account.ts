/**
 * Tells that the account of an Application does not exist: the API server answers its requests like those of an account
 * without rights.
 *
 * Invariant: it is looked for only where a right is missing, and an account that cannot be read is not called missing.
 */
import { agentIdentity } from '../../cluster/identity.ts';
import { kindKey } from '../../cluster/kinds.ts';
import type { Hub } from '../../cluster/ports.ts';
import type { ErrorCode } from '../../object/error-code.ts';
import { StageError } from '../../object/stage-error.ts';
import type { StageFailure } from '../../status/report.ts';
import type { Pass } from '../pass.ts';
import type { Findings } from './report-of.ts';

/** The part of a pass that the look for its account needs. */
export interface AccountQuestion extends Pick<Pass, 'application' | 'identity' | 'failures'> {
  readonly context: { readonly hub: Pick<Hub, 'as' | 'kinds'> };
}

/** The failure to be told before all others. undefined: the account exists, or no right is missing. */
export async function findMissingAccount(
  question: AccountQuestion,
  findings: Pick<Findings, 'applied' | 'changes'>,
): Promise<StageFailure | undefined> {
  const { application, identity } = question;
  if (identity.type === 'agent' || !isRightMissing(question, findings)) return undefined;
  const { namespace, name } = identity;
  if (!(await isAbsent(question, { namespace, name }))) return undefined;
  const setting =
    application.spec.serviceAccountName === undefined
      ? 'set spec.serviceAccountName to another one, since this is that of --default-service-account'
      : 'correct spec.serviceAccountName';
  return {
    stage: 'apply',
    code: 'Forbidden',
    retry: 'backoff',
    message:
      `the ServiceAccount ${name} does not exist in the namespace ${namespace}, so this Application may do nothing; ` +
      `create it and give it rights, or ${setting}`,
  };
}

const FORBIDDEN: ReadonlySet<ErrorCode> = new Set(['Forbidden', 'SecretForbidden', 'DataForbidden']);

/** An object that cannot be read, and one whose dry run is refused, may lack a right too. */
function isRightMissing(
  { failures }: Pick<AccountQuestion, 'failures'>,
  { applied, changes = [] }: Pick<Findings, 'applied' | 'changes'>,
): boolean {
  if (failures.some(({ code }) => FORBIDDEN.has(code))) return true;
  if ([...(applied?.values() ?? [])].some(({ refusal }) => refusal?.code === 'Forbidden')) return true;
  return changes.some(({ type }) => type === 'unknown' || type === 'unsure');
}

async function isAbsent(
  { context: { hub } }: Pick<AccountQuestion, 'context'>,
  account: { readonly namespace: string; readonly name: string },
): Promise<boolean> {
  try {
    const kind = (await hub.kinds()).served.get(kindKey('v1', 'ServiceAccount'));
    if (!kind) return false;
    const answer = await hub.as(agentIdentity).get(kind, { group: '', kind: 'ServiceAccount', ...account });
    return answer.ok && answer.object === undefined;
  } catch (error) {
    if (!(error instanceof StageError)) throw error;
    return false;
  }
}
