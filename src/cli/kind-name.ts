/** Names of kinds on the command line, as kubectl takes them: `pod`, `pods`, `po`, `Deployment`, `deployment.apps`. */
import type { KindInfo, Kinds } from '../cluster/kinds.ts';
import { BUILT_IN_GROUPS } from '../object/built-in-groups.ts';
import { compareTexts } from '../object/identity.ts';
import { nearestName } from '../object/nearest.ts';

export type FoundKind =
  { readonly ok: true; readonly kind: KindInfo } | { readonly ok: false; readonly problem: string };

/** The usual short names of built-in kinds. Discovery tells those of other kinds, but they are not kept. */
const SHORT_NAMES: ReadonlyMap<string, string> = new Map([
  ['cj', 'cronjob'],
  ['cm', 'configmap'],
  ['deploy', 'deployment'],
  ['ds', 'daemonset'],
  ['ep', 'endpoints'],
  ['hpa', 'horizontalpodautoscaler'],
  ['ing', 'ingress'],
  ['netpol', 'networkpolicy'],
  ['ns', 'namespace'],
  ['pdb', 'poddisruptionbudget'],
  ['po', 'pod'],
  ['pv', 'persistentvolume'],
  ['pvc', 'persistentvolumeclaim'],
  ['rc', 'replicationcontroller'],
  ['rs', 'replicaset'],
  ['sa', 'serviceaccount'],
  ['sts', 'statefulset'],
  ['svc', 'service'],
]);

/** A kind of the core group wins over one of another built-in group, and that over the kinds of definitions. */
export function findKindByName({ served, preferred }: Kinds, text: string): FoundKind {
  const [word = '', ...groups] = text.toLowerCase().split('.');
  const group = groups.join('.');
  const name = SHORT_NAMES.get(word) ?? word;
  const byGroup = new Map<string, KindInfo>();
  for (const info of served.values()) {
    const isNamed = info.kind.toLowerCase() === name || info.plural === name;
    if (!isNamed || (group !== '' && info.group !== group)) continue;
    if (!byGroup.has(info.group) || preferred.get(info.group) === info.version) byGroup.set(info.group, info);
  }
  const found = [...byGroup.values()].sort((a, b) => rankOf(a) - rankOf(b) || compareTexts(a.group, b.group));
  const [first, second] = found;
  if (!first) return { ok: false, problem: unknownKind(served.values(), text) };
  if (second && rankOf(first) === rankOf(second)) {
    const names = found.map((info) => `${info.kind}.${info.group}`).join(', ');
    return { ok: false, problem: `several groups have a kind ${text}: name one of ${names}` };
  }
  return { ok: true, kind: first };
}

function rankOf({ group }: KindInfo): number {
  if (group === '') return 0;
  return BUILT_IN_GROUPS.has(group) ? 1 : 2;
}

function unknownKind(served: Iterable<KindInfo>, text: string): string {
  const names = new Set([...served].flatMap(({ kind, plural }) => [kind, plural]));
  const nearest = nearestName(text, names);
  return `the cluster serves no kind ${text}${nearest === undefined ? '' : `; did you mean ${nearest}?`}`;
}
