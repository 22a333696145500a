/**
 * Brings the answers to the needs of a render: the data of ConfigMaps and Secrets, with the rights of the Application,
 * other repositories and charts, and the content of sealed files.
 *
 * Invariant: a failure that may pass is thrown, so that the render is tried again; an answer that can never be brought
 * is an answer, too.
 */
import { describeIdentity } from '../../cluster/identity.ts';
import { digestValue } from '../../object/digest.ts';
import { StageError } from '../../object/stage-error.ts';
import type { ChartNeed, DataNeed, Need, RepositoryNeed } from '../../render/needs.ts';
import type { Reading } from '../pass.ts';
import { bringHelm } from './bring-helm.ts';
import type { Brought, TreesOfRender } from './brought.ts';
import { bringPart } from './bring-part.ts';
import { bringSealed, type DecryptionKeys } from './decryption-keys.ts';
import { refuseChart, refuseRemoteBase } from './host-policy.ts';
import { treeOfNeed } from './other-sources.ts';
import { readData } from './read-data.ts';

export interface Bringing {
  readonly trees: TreesOfRender;
  readonly keys: DecryptionKeys;
}

/** Throws StageError. */
export async function bringNeed(reading: Reading, need: Need, { trees, keys }: Bringing): Promise<Brought> {
  const broughtMs = reading.context.clock.monotonicMs();
  switch (need.type) {
    case 'data':
      return { need, ...(await bringData(reading, need)), broughtMs };
    case 'repository':
    case 'chart':
      return { need, ...(await bringTree(reading, need)), broughtMs };
    case 'submodule':
    case 'lfs':
      return { need, ...(await bringPart(reading, need)), broughtMs };
    case 'helm':
      return { need, ...(await bringHelm(reading, need, trees)), broughtMs };
    case 'sealed':
      return { need, ...(await bringSealed(reading, need, keys)), broughtMs };
  }
}

async function bringTree(
  reading: Reading,
  need: RepositoryNeed | ChartNeed,
): Promise<Pick<Brought, 'answer' | 'digest' | 'tree'>> {
  const { settings } = reading.context;
  const problem = need.type === 'chart' ? refuseChart(need, settings) : refuseRemoteBase(need, settings);
  if (problem) return { answer: { type: 'refused', problem }, digest: digestValue(problem.message) };
  const tree = await treeOfNeed(reading, need);
  return { answer: { type: 'tree' }, digest: tree.tree.treeOid, tree };
}

async function bringData(reading: Reading, { kind, name }: DataNeed): Promise<Pick<Brought, 'answer' | 'digest'>> {
  const { application, context, identity } = reading;
  const { namespace } = application.metadata;
  const read = await readData(context.hub.as(identity), namespace, { kind, name });
  if (!read.ok) {
    const { code, message, retry } = read.refusal;
    throw new StageError({
      stage: 'render',
      code: code === 'Forbidden' ? 'DataForbidden' : 'DataUnreadable',
      retry: code === 'Forbidden' ? 'backoff' : retry,
      message:
        code === 'Forbidden'
          ? `The ${kind} ${namespace}/${name} of spec.render may not be read by ${describeIdentity(identity)}. ` +
            `Allow it the verb get on this ${kind}.`
          : `The ${kind} ${namespace}/${name} of spec.render could not be read: ${message}.`,
    });
  }
  const { answer } = read;
  return { answer, digest: answer.type === 'data' ? digestValue(answer.data) : 'absent' };
}
