/**
 * The rules of roles that are limited to single names (`resourceNames`), as a SelfSubjectRulesReview tells them. They
 * only show which names are worth a review: such a list is incomplete for some authorizers, and for a cluster-scoped
 * kind it contains rules that do not hold for it.
 */
import { isMap, listAt, valueAt, type Value } from '../../object/value.ts';

interface NameRule {
  readonly groups: ReadonlySet<string>;
  readonly resources: ReadonlySet<string>;
  readonly names: ReadonlySet<string>;
}

/** 'unknown': any name may be allowed. */
export type NameRules = readonly NameRule[] | 'unknown';

/** Names that are remembered of one list. Where there are more, each name is reviewed. */
const MAX_NAMES = 200;

/** Reads the status of a SelfSubjectRulesReview. */
export function readNameRules(status: Value | undefined): NameRules {
  if (!isMap(status) || valueAt(status, 'incomplete') === true) return 'unknown';
  const rules = listAt(status, 'resourceRules').map((rule) => ({
    groups: textsAt(rule, 'apiGroups'),
    resources: textsAt(rule, 'resources'),
    names: textsAt(rule, 'resourceNames'),
  }));
  const limited = rules.filter(({ names }) => names.size > 0);
  const total = limited.reduce((sum, { names }) => sum + names.size, 0);
  return total > MAX_NAMES ? 'unknown' : limited;
}

export interface NamedResource {
  readonly group: string;
  /** The plural name. */
  readonly resource: string;
  readonly name: string;
}

/** Whether a rule could allow something for the object by its name. */
export function isNameListed(rules: readonly NameRule[], { name, ...resource }: NamedResource): boolean {
  return rules.some((rule) => concerns(rule, resource) && rule.names.has(name));
}

/** Whether a rule could allow something for single objects of the kind. */
export function isAnyNameListed(rules: NameRules, resource: Omit<NamedResource, 'name'>): boolean {
  return rules === 'unknown' || rules.some((rule) => concerns(rule, resource));
}

function concerns(rule: NameRule, { group, resource }: Omit<NamedResource, 'name'>): boolean {
  return has(rule.groups, group) && has(rule.resources, resource);
}

function has(values: ReadonlySet<string>, value: string): boolean {
  return values.has('*') || values.has(value);
}

function textsAt(rule: Value, field: string): ReadonlySet<string> {
  return new Set(listAt(rule, field).filter((value) => typeof value === 'string'));
}
