/**
 * The Applications as the list shows them, kept between requests: a row is made again only when its Application has
 * changed, and then in turns that leave the thread to others.
 *
 * Invariants: the rows are brought up to date at most once a second. A version is a number that no other content of any
 * row of this process has, so equal versions mean equal answers.
 */
import { createHash } from 'node:crypto';
import { applicationKey } from '../../application/keys.ts';
import { inTurns } from '../../cluster/concurrency.ts';
import { compareTexts } from '../../object/identity.ts';
import { stringifyJson } from '../../object/json.ts';
import type { Value } from '../../object/value.ts';
import type { Clock } from '../../telemetry/ports.ts';
import { atMostOnceASecond } from '../shared-answer.ts';
import type { ApplicationSummary } from './schema.ts';
import { describe, metadataOf, nameAndState, summarise, type KnownApplication } from './views.ts';
import { writeJson } from './write-json.ts';

export interface ApplicationIndex {
  list(): readonly KnownApplication[];
  get(namespace: string, name: string): KnownApplication | undefined;
}

export interface Row {
  readonly key: string;
  readonly summary: ApplicationSummary;
  /** The summary in JSON. */
  readonly text: string;
  /** Names and states alone in JSON. */
  readonly nameText: string;
  /** The texts that a search looks through, in lower case. */
  readonly haystack: string;
  /** Changes with everything that the API tells about the Application. */
  readonly version: number;
}

export interface Rows {
  /** By namespace and name. */
  readonly all: readonly Row[];
  readonly byNamespace: ReadonlyMap<string, readonly Row[]>;
}

export interface RowChanges {
  readonly changed: readonly Row[];
  readonly removed: readonly Row[];
}

export interface RowStore {
  read(): Promise<Rows>;
}

export interface RowOptions {
  readonly applications: Pick<ApplicationIndex, 'list'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** Called after each look that found changes; not for the first one. */
  readonly onChange?: (changes: RowChanges) => void;
}

interface Kept {
  readonly parsed: KnownApplication['parsed'];
  readonly objects: unknown;
  readonly problems: unknown;
  readonly unwritten: unknown;
  readonly row: Row;
  /** Digest of everything that the API tells beside the summary. */
  readonly digest: string;
}

export function createRows({ applications, clock, onChange = () => undefined }: RowOptions): RowStore {
  let kept = new Map<string, Kept>();
  let rows: Rows | undefined;
  let lastVersion = 0;

  function* look(): Generator<undefined, Rows> {
    const next = new Map<string, Kept>();
    const changed: Row[] = [];
    for (const known of applications.list()) {
      const { namespace, name } = metadataOf(known);
      const key = applicationKey(namespace, name);
      const before = kept.get(key);
      const now = before && isSame(before, known) ? before : yield* makeRow(key, known, before);
      next.set(key, now);
      if (now.row !== before?.row) changed.push(now.row);
      yield;
    }
    const removed = [...kept].flatMap(([key, { row }]) => (next.has(key) ? [] : [row]));
    kept = next;
    if (rows && changed.length === 0 && removed.length === 0) return rows;
    const isFirst = rows === undefined;
    rows = inOrder([...next.values()].map(({ row }) => row));
    if (!isFirst) onChange({ changed, removed });
    return rows;
  }

  function* makeRow(key: string, known: KnownApplication, before: Kept | undefined): Generator<undefined, Kept> {
    const summary = summarise(known);
    const text = writeJson(summary);
    const digest = yield* digestOf(known);
    const { parsed, view } = known;
    const looked = { parsed, objects: view?.objects, problems: view?.problems, unwritten: view?.unwritten, digest };
    if (before?.row.text === text && before.digest === digest) return { ...looked, row: before.row };
    const row = {
      key,
      summary,
      text,
      nameText: writeJson(nameAndState(known)),
      haystack: haystackOf(summary),
      version: ++lastVersion,
    };
    return { ...looked, row };
  }

  return { read: atMostOnceASecond(() => inTurns(look()), clock) };
}

function isSame(before: Kept, { parsed, view }: KnownApplication): boolean {
  return (
    before.parsed === parsed &&
    before.objects === view?.objects &&
    before.problems === view?.problems &&
    before.unwritten === view?.unwritten
  );
}

/** A pass that finds nothing new makes new lists of equal objects: they have the same digest. */
function* digestOf(known: KnownApplication): Generator<undefined, string> {
  const hash = createHash('sha256').update(stringifyJson(describe(known) as unknown as Value));
  for (const object of known.view?.objects ?? []) {
    hash.update(stringifyJson(object as unknown as Value));
    yield;
  }
  return hash.digest('base64');
}

function haystackOf({
  namespace,
  name,
  repoURL = '',
  path = '',
  sync,
  labels = {},
  ready,
}: ApplicationSummary): string {
  const texts = [`${namespace}/${name}`, repoURL, path, sync.revision ?? '', ready.message];
  for (const [label, value] of Object.entries(labels)) texts.push(`${label}=${value}`);
  return texts.join('\n').toLowerCase();
}

function inOrder(all: Row[]): Rows {
  all.sort((a, b) => compareNames(a.summary, b.summary));
  const byNamespace = new Map<string, Row[]>();
  for (const row of all) {
    const own = byNamespace.get(row.summary.namespace);
    if (own) own.push(row);
    else byNamespace.set(row.summary.namespace, [row]);
  }
  return { all, byNamespace };
}

export function compareNames(
  a: Pick<ApplicationSummary, 'namespace' | 'name'>,
  b: Pick<ApplicationSummary, 'namespace' | 'name'>,
): number {
  return compareTexts(a.namespace, b.namespace) || compareTexts(a.name, b.name);
}
