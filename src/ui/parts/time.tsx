/** A time as people say it, with the exact one as a tool tip. */
import type { VNode } from 'preact';
import { useStore } from '../data/store.ts';
import { exactTime, relativeTime } from '../logic/time.ts';

export function Time({ at }: { readonly at: string }): VNode {
  const { now } = useStore();
  return (
    <time dateTime={at} title={exactTime(at)}>
      {relativeTime(at, now.value)}
    </time>
  );
}
