/**
 * Reads from a commit what people want to know about it: subject, author and date.
 *
 * Invariant: never throws, and every text is printable and bounded, since anyone who may push chooses them.
 */
import { printable } from '../../object/printable.ts';
import type { CommitAbout } from '../snapshot.ts';

const MAX_SUBJECT_CHARS = 200;
const MAX_AUTHOR_CHARS = 100;

export function readCommitAbout(data: Buffer): CommitAbout {
  const text = data.toString('utf8');
  const end = text.indexOf('\n\n');
  const header = end < 0 ? text : text.slice(0, end);
  const subject = end < 0 ? '' : (/^\s*(\S[^\n]*)/.exec(text.slice(end))?.[1] ?? '').trim();
  const [, name = '', seconds = ''] = /^author (.*?) ?<[^\n]*> (\d{1,12})(?: |$)/m.exec(header) ?? [];
  return {
    ...(subject === '' ? {} : { subject: bound(subject, MAX_SUBJECT_CHARS) }),
    ...(name.trim() === '' ? {} : { author: bound(name.trim(), MAX_AUTHOR_CHARS) }),
    ...dateOf(Number(seconds)),
  };
}

function dateOf(seconds: number): Pick<CommitAbout, 'date'> {
  // Git accepts years that RFC 3339 cannot write.
  const isWritable = seconds > 0 && seconds < 253_402_300_800;
  return isWritable ? { date: new Date(seconds * 1000).toISOString().replace('.000Z', 'Z') } : {};
}

function bound(text: string, maxChars: number): string {
  const shown = printable(text);
  return shown.length <= maxChars ? shown : `${shown.slice(0, maxChars - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}
