/** From an unsuccessful HTTP answer to its Refusal. */
import { readRefusal, type Refusal } from '../answers.ts';
import type { KindInfo } from '../kinds.ts';
import { retryAfterMs, type HttpAnswer } from '../transport/transport.ts';

/** `verb` is the verb of the HttpRequest. */
export function refusalOf(
  answer: HttpAnswer,
  verb: string,
  { group, kind }: Pick<KindInfo, 'group' | 'kind'>,
): Refusal {
  return readRefusal({ ...answer, retryAfterMs: retryAfterMs(answer.headers) }, { verb, group, kind });
}
