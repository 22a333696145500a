/** Reads the ConfigMaps and Secrets that a render asks for. */
import type { HubClient, Refused } from '../../cluster/ports.ts';
import type { Answer, DataNeed } from '../../render/needs.ts';

export type DataAnswer = Extract<Answer, { readonly type: 'data' | 'noData' }>;

/** The values as texts in UTF-8. */
export async function readData(
  client: Pick<HubClient, 'readSecret' | 'readConfigMap'>,
  namespace: string,
  { kind, name }: Pick<DataNeed, 'kind' | 'name'>,
): Promise<{ readonly ok: true; readonly answer: DataAnswer } | Refused> {
  const read = await (kind === 'Secret' ? client.readSecret(namespace, name) : client.readConfigMap(namespace, name));
  if (!read.ok) return read;
  if (!read.data) return { ok: true, answer: { type: 'noData' } };
  const data = Object.fromEntries(Array.from(read.data, ([key, value]) => [key, value.toString('utf8')]));
  return { ok: true, answer: { type: 'data', data } };
}
