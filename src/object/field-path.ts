/**
 * Finds the member of an object that a message of the API server names. The server writes fields in several forms:
 * `spec.ports[1].name`, `data[key]`, `.spec.containers[name="app"].image`, `.metadata.finalizers[="a/b"]`. A key may
 * hold dots, so only the object tells where it ends.
 */
import { isEqualValue, isMap, type Value, type ValueMap } from './value.ts';
import { parseJson } from './json.ts';

/** Keys of maps and indexes of lists, from the root. */
export type MemberPath = readonly (string | number)[];

/** The longest beginning of a field that leads to a member; empty if there is none. */
export function memberPath(object: Value, field: string): MemberPath {
  const path: (string | number)[] = [];
  let at: Value | undefined = object;
  let rest = field;
  while (rest !== '') {
    const found: Step | undefined = Array.isArray(at) ? itemAt(at, rest) : isMap(at) ? keyAt(at, rest) : undefined;
    if (!found) break;
    path.push(found.step);
    at = found.value;
    rest = rest.slice(found.length);
  }
  return path;
}

interface Step {
  readonly step: string | number;
  readonly value: Value | undefined;
  /** Characters of the field that name it. */
  readonly length: number;
}

/** Brackets with a text in which quoted parts may hold any character. */
const BRACKETS = /^\[((?:"(?:[^"\\]|\\.)*"|[^\]"])*)\]/;

/** The longest key with which the rest of a field begins. */
function keyAt(map: ValueMap, rest: string): Step | undefined {
  const bracket = BRACKETS.exec(rest);
  const key = bracket?.[1];
  if (bracket && key !== undefined && Object.hasOwn(map, key)) {
    return { step: key, value: map[key], length: bracket[0].length };
  }
  const skipped = rest.startsWith('.') ? 1 : 0;
  const name = rest.slice(skipped);
  const keys = Object.keys(map).filter((one) => name.startsWith(one) && /^(?:$|[.[])/.test(name.slice(one.length)));
  const [longest] = keys.sort((a, b) => b.length - a.length);
  return longest ? { step: longest, value: map[longest], length: skipped + longest.length } : undefined;
}

function itemAt(list: readonly Value[], rest: string): Step | undefined {
  const bracket = BRACKETS.exec(rest);
  const text = bracket?.[1];
  if (!bracket || text === undefined) return undefined;
  const index = /^\d+$/.test(text) ? Number(text) : list.findIndex((item) => isNamed(item, text));
  return index >= 0 && index < list.length ? { step: index, value: list[index], length: bracket[0].length } : undefined;
}

const PAIR = /([^=,]*)=("(?:[^"\\]|\\.)*"|[^,]*)(?:,|$)/g;

/** Whether a list item has the keys, or is the value, that a text such as `name="app"` or `="app"` names. */
function isNamed(item: Value, text: string): boolean {
  const pairs = [...text.matchAll(PAIR)];
  return (
    pairs.length > 0 &&
    pairs.every(([, key = '', json = '']) =>
      isEqualValue(key === '' ? item : isMap(item) ? item[key] : undefined, valueOf(json)),
    )
  );
}

function valueOf(json: string): Value | undefined {
  try {
    return parseJson(json);
  } catch {
    return undefined;
  }
}
