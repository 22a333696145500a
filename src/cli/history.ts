/** `tautline history NAME`: the last syncs of an Application, the newest first. Shows only what the status holds. */
import { cutText } from '../application/conditions.ts';
import type { HistoryEntry } from '../application/status-schema.ts';
import { printable } from '../object/printable.ts';
import type { Value } from '../object/value.ts';
import { factsOf, firstLine } from './application-facts.ts';
import { agoOf } from './commit-text.ts';
import { dataText } from './data-text.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { forOne } from './find-application.ts';
import { formatTable } from './table.ts';
import type { ClusterFlags } from './with-cluster.ts';
import { print, printError } from './output.ts';

export type HistoryOutput = 'table' | 'wide' | 'json' | 'yaml';

export interface HistoryCommand extends ClusterFlags {
  readonly name: string;
  readonly hasHeaders: boolean;
  readonly output: HistoryOutput;
}

/** Characters of a subject or a message in the narrow table. */
const MAX_CHARS = 72;

export function runHistory(command: HistoryCommand): Promise<ExitCode> {
  const { output, hasHeaders } = command;
  return forOne(command, (_access, application) => {
    const { metadata, status } = factsOf(application);
    const history = status.history ?? [];
    const isTable = output === 'table' || output === 'wide';
    if (!isTable) print(dataText(history as unknown as Value, output));
    else if (history.length === 0) printError(`${metadata.name} has not been synced yet.\n`);
    else print(historyTable(history, { now: Date.now(), isWide: output === 'wide', hasHeaders }));
    return EXIT.done;
  });
}

export interface HistoryTable {
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly isWide: boolean;
  readonly hasHeaders: boolean;
}

export function historyTable(history: readonly HistoryEntry[], { now, isWide, hasHeaders }: HistoryTable): string {
  const shown = (text: string | undefined): string => {
    const line = printable(firstLine(text ?? ''));
    return (isWide ? line : cutText(line, MAX_CHARS)) || '-';
  };
  const header = ['REVISION', 'OUTCOME', 'WHEN', 'AUTHOR', 'SUBJECT', 'MESSAGE', ...(isWide ? ['SIGNER'] : [])];
  const rows = history.map((entry) => [
    printable(isWide ? entry.revision : (entry.commit ?? entry.revision)),
    entry.outcome,
    agoOf(entry.finishedAt ?? entry.startedAt, now),
    shown(entry.author),
    shown(entry.subject),
    // A sync that succeeded needs no reason.
    isWide || entry.outcome !== 'Succeeded' ? shown(entry.message) : '-',
    ...(isWide ? [shown(entry.signer)] : []),
  ]);
  return formatTable(hasHeaders ? header : undefined, rows);
}
