/** Reads the last lines of the log of a Pod. */
import type { LogAnswer, LogQuestion } from '../ports.ts';
import { agentIdentity } from '../identity.ts';
import type { KindInfo } from '../kinds.ts';
import type { Transport } from '../transport/transport.ts';
import { objectPath, query } from './paths.ts';
import { refusalOf } from './refusal.ts';

const MAX_LOG_BYTES = 1024 * 1024;

const PODS: KindInfo = {
  group: '',
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  isNamespaced: true,
  hasStatus: true,
  isWatchable: true,
};

/** At most `lines` lines and 1 MiB. A name that cannot be that of a Pod is refused as `NotFound`. */
export async function readPodLog(
  { send }: Pick<Transport, 'send'>,
  { namespace, pod, container, isPrevious, lines }: LogQuestion,
): Promise<LogAnswer> {
  const choice = { container, previous: isPrevious || undefined, tailLines: lines, limitBytes: MAX_LOG_BYTES };
  let path: string;
  try {
    path = `${objectPath(PODS, { namespace, name: pod })}/log${query(choice)}`;
  } catch {
    return { ok: false, refusal: { code: 'NotFound', status: 404, message: 'no such Pod', retry: 'never' } };
  }
  const call = { verb: 'get', method: 'GET', identity: agentIdentity, category: 'other' } as const;
  const answer = await send({ ...call, path, accept: '*/*' });
  if (answer.status === 200) return { ok: true, text: answer.text };
  return { ok: false, refusal: refusalOf(answer, 'get', { group: '', kind: 'Pod' }) };
}
