/** Finds the rules of a kind: those of its group first, then those of the longest pattern that fits its group. */
import type { ObjectId } from '../../object/identity.ts';
import type { KindRules } from '../rules.ts';
import { CLOUDS } from './clouds.ts';
import { DATA_STORES } from './data-stores.ts';
import { DELIVERY } from './delivery.ts';
import { GATEWAYS } from './gateway.ts';
import { PLATFORM } from './platform.ts';
import { SECRETS } from './secrets.ts';
import { WORKLOADS } from './workloads.ts';

export const CATALOG: readonly KindRules[] = [
  ...[...SECRETS, ...GATEWAYS, ...DELIVERY, ...CLOUDS, ...DATA_STORES, ...WORKLOADS, ...PLATFORM],
];

const BY_KIND: ReadonlyMap<string, KindRules> = new Map(CATALOG.map((set) => [`${set.group}/${set.kind}`, set]));

/** undefined: the kind has no rules. */
export function rulesOf({ group, kind }: Pick<ObjectId, 'group' | 'kind'>): KindRules | undefined {
  const word = /[A-Z][a-z]+$/.exec(kind)?.[0] ?? '';
  for (const place of placesOf(group)) {
    const found = BY_KIND.get(`${place}/${kind}`) ?? BY_KIND.get(`${place}/*${word}`) ?? BY_KIND.get(`${place}/*`);
    if (found) return found;
  }
  return undefined;
}

/** The group itself, and the patterns `*.b.c` and `*.c` of a group `a.b.c`. */
function placesOf(group: string): string[] {
  const labels = group.split('.');
  return [group, ...labels.slice(1).map((_, index) => `*.${labels.slice(index + 1).join('.')}`)];
}
