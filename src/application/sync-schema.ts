/** How objects are made equal to Git: the schema of `spec.sync`. */
import { z } from 'zod';
import { SCHEDULE_PATTERN } from './cron.ts';
import { durationBetween } from './duration-field.ts';
import { matching, withRules } from './rules.ts';

const MAX_WINDOWS = 20;

const windowSchema = z.object({
  kind: z
    .enum(['allow', 'deny'])
    .describe(
      'allow: objects are changed only within such windows. deny: they are not changed within it, whatever windows of ' +
        'kind allow say.',
    ),
  schedule: withRules(z.string().min(9).max(128), [
    matching(SCHEDULE_PATTERN, 'spec.sync.windows[].schedule must have five fields in cron form, such as 0 22 * * *'),
  ]).describe(
    'Start, in cron form with five fields (minute, hour, day of month, month, day of week). A start that a change of ' +
      'clocks skips counts at the change, one that it repeats counts twice.',
  ),
  duration: durationBetween('spec.sync.windows[].duration', '1m', '8784h').describe(
    'Time that the window lasts, from 1m to 8784h, as it passes: a change of clocks does not lengthen it.',
  ),
  timeZone: withRules(z.string().min(1).max(64), [
    matching(/^[A-Za-z][A-Za-z0-9_+/-]*$/, 'spec.sync.windows[].timeZone must be an IANA name, such as Europe/Berlin'),
  ])
    .optional()
    .describe('IANA name of the time zone of the schedule. Default: UTC.'),
  manual: z
    .boolean()
    .default(false)
    .describe('Whether requests may sync while this window forbids it. Default: false.'),
});

export type SyncWindow = z.output<typeof windowSchema>;

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
  windows: z
    .array(windowSchema)
    .max(MAX_WINDOWS)
    .meta({ 'x-kubernetes-list-type': 'atomic' })
    .optional()
    .describe('Times in which objects may be changed, or may not. Default: always.'),
  ssaConflicts: z
    .enum(['force', 'fail'])
    .default('force')
    .describe(
      'Fields that another field manager owns and that differ from Git: force takes them over; fail leaves the whole ' +
        'object as it is, and names the fields and their managers. Default: force.',
    ),
  onFailure: z
    .enum(['none', 'rollback'])
    .default('none')
    .describe(
      'Reaction to a revision that fails: that is refused, is still waiting after timeout, or is not Healthy after ' +
        'health.timeout. rollback goes back to the last revision that was Healthy, once for each revision, in mode ' +
        'auto; nothing is pruned by it. Default: none.',
    ),
});
