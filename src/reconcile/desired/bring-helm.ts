/**
 * Brings the output of helm for a chart: its files come from the sandbox, its cluster from discovery, and helm runs as
 * a process of the agent.
 *
 * Invariant: an output that differs from the last one for the same input is refused, so that a chart that makes up
 * passwords does not change them again and again.
 */
import { digestText } from '../../object/digest.ts';
import type { Answer, HelmNeed } from '../../render/needs.ts';
import type { Reading } from '../pass.ts';
import type { Brought, TreesOfRender } from './brought.ts';
import type { LastRender } from './memory.ts';

type Output = Pick<Brought, 'answer' | 'digest' | 'renderedFor'>;

/** Throws StageError: of the sandbox, of discovery or of helm. */
export async function bringHelm(reading: Reading, { key, run }: HelmNeed, trees: TreesOfRender): Promise<Output> {
  const { application, context, memory, signal } = reading;
  const tenant = application.metadata.namespace;
  const { capabilities, renderedFor } = await clusterOf(reading);
  const { main: tree, origin, others } = trees;
  const collected = await context.render.chartFiles({ tree, origin, trees: others, run, tenant, signal });
  if (!collected.ok) return { ...withDigest({ type: 'refused', problem: collected.problem }), renderedFor };
  const answer = await context.helm.template({ run, files: collected.files, capabilities, tenant, signal });
  const output = withDigest(answer);
  const before = memory.desired.rendered?.answers.get(key);
  const isOther = before?.renderedFor === renderedFor && before.digest !== output.digest;
  if (!isOther || answer.type !== 'text') return { ...output, renderedFor };
  return { answer: VARYING, digest: before.digest, renderedFor };
}

const VARYING: Answer = {
  type: 'refused',
  problem: {
    code: 'NonDeterministic',
    message: 'the chart prints something else than before for the same files, values and cluster',
    hint: 'Look for functions of its templates that use the time or chance, and give the values that they make up.',
  },
};

function withDigest(answer: Answer): Pick<Output, 'answer' | 'digest'> {
  return { answer, digest: digestText(answer.type === 'text' ? answer.text : JSON.stringify(answer)) };
}

/** Whether the outputs of helm in a render are still for the present cluster and helm. Asks only if there are any. */
export async function isForThisCluster(reading: Reading, { answers }: LastRender): Promise<boolean> {
  const outputs = [...answers.values()].filter(({ renderedFor }) => renderedFor !== undefined);
  if (outputs.length === 0) return true;
  const { renderedFor } = await clusterOf(reading);
  return outputs.every((output) => output.renderedFor === renderedFor);
}

/** The present cluster, and the name for it and the present helm under which an output is remembered. */
async function clusterOf({ context, target }: Reading) {
  const [capabilities, version] = await Promise.all([target.capabilities(), context.helm.version()]);
  return { capabilities, renderedFor: `${version} ${capabilities.digest}` };
}
