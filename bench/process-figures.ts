/** Reads CPU time and memory of a process and its descendants from /proc. Linux only. */
import { readFileSync, readdirSync } from 'node:fs';

/** Clock ticks in a second (USER_HZ), which is 100 on every Linux platform that Node supports. */
const TICKS_PER_SECOND = 100;

/** Returns the ids of the process and its descendants. */
export function processTree(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const fields = statFields(Number(entry));
    const parent = Number(fields?.[1]);
    if (fields) children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
  }
  const tree = [pid];
  for (const member of tree) tree.push(...(children.get(member) ?? []));
  return tree;
}

/** User and system time of a process tree so far, in milliseconds, including children that have ended. */
export function cpuMs(pid: number): number {
  const ticks = processTree(pid).reduce((total, member) => {
    const fields = statFields(member);
    // utime and stime; for the root also cutime and cstime, the times of children that have been waited for.
    const own = Number(fields?.[11] ?? 0) + Number(fields?.[12] ?? 0);
    const ended = member === pid ? Number(fields?.[13] ?? 0) + Number(fields?.[14] ?? 0) : 0;
    return total + own + ended;
  }, 0);
  return (ticks * 1000) / TICKS_PER_SECOND;
}

/** Proportional set size (PSS) of a process tree, in MiB. */
export function pssMiB(pid: number): number {
  const kib = processTree(pid).reduce((total, member) => {
    const rollup = read(`/proc/${member}/smaps_rollup`);
    return total + Number(/^Pss:\s+(\d+) kB/m.exec(rollup ?? '')?.[1] ?? 0);
  }, 0);
  return Math.round((kib / 1024) * 10) / 10;
}

/** The fields of /proc/<pid>/stat after the name of the command; [0] is the state. */
function statFields(pid: number): string[] | undefined {
  const text = read(`/proc/${pid}/stat`);
  return text?.slice(text.lastIndexOf(')') + 2).split(' ');
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // The process has ended in the meantime.
    return undefined;
  }
}
