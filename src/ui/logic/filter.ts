/** The filter of the list of Applications, as the address of the page holds it, so that a link can be sent. */
import type { Severity } from '../../server/api/schema.ts';
import { healthOf, isFull, severityOf, syncOf, type Listed } from './words.ts';

export interface Filter {
  /** Words, all of which an Application contains. */
  readonly search: string;
  readonly severity: readonly string[];
  readonly sync: readonly string[];
  readonly health: readonly string[];
  readonly namespace: readonly string[];
  /** `state`, `namespace`, or `label:KEY`. */
  readonly group: string;
}

export const NO_FILTER: Filter = { search: '', severity: [], sync: [], health: [], namespace: [], group: 'state' };

const LISTS = ['severity', 'sync', 'health', 'namespace'] as const;

export function readFilter(query: Readonly<Record<string, string>>): Filter {
  return {
    search: query['search'] ?? '',
    severity: wordsOf(query['severity']),
    sync: wordsOf(query['sync']),
    health: wordsOf(query['health']),
    namespace: wordsOf(query['namespace']),
    group: query['group'] || NO_FILTER.group,
  };
}

/** `?search=…`, or an empty text for no filter. */
export function writeFilter(filter: Filter): string {
  const query = new URLSearchParams();
  if (filter.search !== '') query.set('search', filter.search);
  for (const name of LISTS) if (filter[name].length > 0) query.set(name, filter[name].join(','));
  if (filter.group !== NO_FILTER.group) query.set('group', filter.group);
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
}

function wordsOf(text = ''): string[] {
  return [...new Set(text.split(',').filter((word) => word !== ''))];
}

/** Whether the filter hides anything; the grouping does not. */
export function isFiltering(filter: Filter): boolean {
  return filter.search.trim() !== '' || LISTS.some((name) => filter[name].length > 0);
}

/** A function that tells whether an Application passes the filter. */
export function matcherOf(filter: Filter): (application: Listed) => boolean {
  const words = filter.search
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  const allows = (list: readonly string[], word: string): boolean => list.length === 0 || list.includes(word);
  return (application) =>
    allows(filter.severity, severityOf(application)) &&
    allows(filter.sync, syncOf(application)) &&
    allows(filter.health, healthOf(application)) &&
    allows(filter.namespace, application.namespace) &&
    (words.length === 0 || containsAll(application, words));
}

function containsAll(application: Listed, words: readonly string[]): boolean {
  const text = haystackOf(application);
  return words.every((word) => text.includes(word));
}

function haystackOf(application: Listed): string {
  const { namespace, name } = application;
  const texts = [`${namespace}/${name}`];
  if (isFull(application)) {
    const { repoURL = '', path = '', labels = {}, sync, ready, health } = application;
    texts.push(repoURL, path, sync.revision ?? '', ready.reason, ready.message, health.message ?? '');
    for (const [key, value] of Object.entries(labels)) texts.push(`${key}=${value}`);
  }
  return texts.join('\n').toLowerCase();
}

/** The number of Applications of each severity. */
export function countBySeverity(applications: Iterable<Listed>): Record<Severity, number> {
  const counts = { error: 0, warning: 0, progressing: 0, suspended: 0, ok: 0 };
  for (const application of applications) counts[severityOf(application)]++;
  return counts;
}

/** The keys of all labels, in order, for the choice of a group. */
export function labelKeysOf(applications: Iterable<Listed>): string[] {
  const keys = new Set<string>();
  for (const application of applications) {
    for (const key of isFull(application) ? Object.keys(application.labels ?? {}) : []) keys.add(key);
  }
  return [...keys].sort();
}
