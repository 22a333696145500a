/** The rows of the list of Applications: groups, the worst first, and in each the Applications, the worst first. */
import type { Severity } from '../../server/api/schema.ts';
import { countBySeverity, matcherOf, type Filter } from './filter.ts';
import { isFull, severityOf, SEVERITY_TITLES, TONES, type Listed } from './words.ts';

export type ListRow =
  | {
      readonly type: 'group';
      readonly key: string;
      readonly title: string;
      readonly tone: Severity;
      readonly counts: Readonly<Record<Severity, number>>;
      readonly size: number;
    }
  | { readonly type: 'application'; readonly key: string; readonly application: Listed };

/** `namespace/name`. */
export function keyOfApplication({ namespace, name }: Pick<Listed, 'namespace' | 'name'>): string {
  return `${namespace}/${name}`;
}

export function listRows(applications: Iterable<Listed>, filter: Filter): ListRow[] {
  const matches = matcherOf(filter);
  const groups = new Map<string, Listed[]>();
  for (const application of applications) {
    if (!matches(application)) continue;
    const title = groupOf(application, filter.group);
    const group = groups.get(title);
    if (group) group.push(application);
    else groups.set(title, [application]);
  }
  const sorted = [...groups].map(([title, members]) => ({ title, members: members.sort(byUrgency) }));
  sorted.sort((a, b) => rank(toneOf(a.members)) - rank(toneOf(b.members)) || compareTexts(a.title, b.title));
  return sorted.flatMap(({ title, members }): ListRow[] => [
    {
      type: 'group',
      key: `group ${title}`,
      title,
      tone: toneOf(members),
      counts: countBySeverity(members),
      size: members.length,
    },
    ...members.map((application) => ({
      type: 'application' as const,
      key: keyOfApplication(application),
      application,
    })),
  ]);
}

function groupOf(application: Listed, group: string): string {
  if (group === 'namespace') return application.namespace;
  if (!group.startsWith('label:')) return SEVERITY_TITLES[severityOf(application)];
  const key = group.slice('label:'.length);
  const value = isFull(application) ? application.labels?.[key] : undefined;
  return value === undefined ? `without ${key}` : `${key}: ${value}`;
}

/** The members are sorted, the worst first. */
function toneOf([first]: readonly Listed[]): Severity {
  return first ? severityOf(first) : 'ok';
}

function rank(severity: Severity): number {
  return TONES.indexOf(severity);
}

function byUrgency(a: Listed, b: Listed): number {
  return (
    rank(severityOf(a)) - rank(severityOf(b)) || compareTexts(a.namespace, b.namespace) || compareTexts(a.name, b.name)
  );
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
