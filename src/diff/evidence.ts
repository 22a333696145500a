/**
 * What a dry run tells of an `unsure` change: the object as the server would make it, beside the one that is live.
 *
 * Invariant: the result is never `unsure`.
 */
import type { LiveObject } from '../cluster/live.ts';
import { isEqualValue, isMap, own, type Value } from '../object/value.ts';
import type { Change } from './changes.ts';
import { fieldDifferences, MAX_FIELDS } from './field-difference.ts';
import type { Finding } from './walk.ts';

/** What every write changes, and what a dry run shows changed though it is not. */
const BOOKKEEPING: ReadonlySet<string> = new Set(['managedFields', 'resourceVersion', 'generation']);

/** `returned`: the answer to a dry-run apply (with force) of `change.desired`. */
export function judgeDryRun(change: Change, returned: LiveObject): Change {
  const { reason: _, ...rest } = change;
  if (!change.live) return { ...rest, type: 'create' };
  const findings: Finding[] = [];
  const hasStatus = change.kind?.hasStatus === true;
  for (const key of new Set([...Object.keys(returned.body), ...Object.keys(change.live.body)])) {
    // Controllers write it meanwhile; applying never does.
    if (key === 'status' && hasStatus) continue;
    collect({ desired: own(returned.body, key), live: own(change.live.body, key), tokens: [key] }, findings);
  }
  if (findings.length === 0) return { ...rest, type: 'none', fields: [] };
  return { ...rest, type: 'update', fields: fieldDifferences(findings, change.live.body) };
}

interface Place {
  readonly desired: Value | undefined;
  readonly live: Value | undefined;
  readonly tokens: readonly string[];
}

function collect({ desired, live, tokens }: Place, findings: Finding[]): void {
  if (desired === live || findings.length >= MAX_FIELDS) return;
  if (isMap(desired) && isMap(live)) {
    for (const key of new Set([...Object.keys(desired), ...Object.keys(live)])) {
      if (tokens.length === 1 && tokens[0] === 'metadata' && BOOKKEEPING.has(key)) continue;
      collect({ desired: own(desired, key), live: own(live, key), tokens: [...tokens, key] }, findings);
    }
  } else if (Array.isArray(desired) && Array.isArray(live) && desired.length === live.length) {
    for (let index = 0; index < desired.length; index++) {
      collect({ desired: desired[index], live: live[index], tokens: [...tokens, String(index)] }, findings);
    }
  } else if (!isEqualValue(desired, live)) {
    findings.push({
      tokens,
      steps: tokens,
      ...(desired === undefined ? {} : { desired }),
      ...(live === undefined ? {} : { live }),
    });
  }
}
