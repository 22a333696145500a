/** How objects are made equal to Git: the schema of `spec.sync`. */
import { z } from 'zod';
import { durationBetween } from './duration-field.ts';

export const syncSchema = z.object({
  mode: z
    .enum(['auto', 'manual', 'detect'])
    .default('auto')
    .describe(
      'auto applies differences from Git by itself; manual applies them only when a sync is requested; detect only ' +
        'reports them and never writes an object. Default: auto.',
    ),
  prune: z
    .boolean()
    .default(true)
    .describe('Whether objects that left Git are deleted. If false, they are reported as OutOfSync. Default: true.'),
  allowLiveAnnotations: z
    .boolean()
    .default(false)
    .describe(
      'Whether annotations that are not from Git loosen the hold on a live object: reconcile: disabled, and those that ' +
        'forbid or delay its deletion. If false, whoever may only patch an object cannot take it from Git by them. ' +
        'Default: false.',
    ),
  timeout: durationBetween('spec.sync.timeout', '1s', '24h')
    .default('5m')
    .describe('Time after which a sync, with all its waves, counts as failed. Default: 5m.'),
  onFailure: z
    .enum(['none', 'rollback'])
    .default('none')
    .describe(
      'Reaction to a revision that fails: that is refused, is still waiting after timeout, or is not Healthy after ' +
        'health.timeout. rollback goes back to the last revision that was Healthy, once for each revision, in mode ' +
        'auto; nothing is pruned by it. Default: none.',
    ),
});
