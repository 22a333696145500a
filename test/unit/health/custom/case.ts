/**
 * Objects in one line each, for the tables of custom resources. A case is the expected health, then words:
 * `Ready=False/Failed` is a condition with a reason, `.phase="Running"` a field of the status, `spec.paused=true` a
 * field of the spec, `@name=value` an annotation, `#n` the generation. Values are JSON without spaces; `~` in a text
 * stands for a space.
 */
import type { LiveObject } from '../../../../src/cluster/live.ts';
import { newMap, type Value, type ValueMap } from '../../../../src/object/value.ts';
import { condition, live } from '../live-object.ts';

/** By apiVersion and kinds, with spaces between them. */
export type Table = Readonly<Record<string, readonly string[]>>;

export interface Case {
  readonly title: string;
  readonly object: LiveObject;
  readonly expected: string;
}

export function casesOf(table: Table): Case[] {
  return Object.entries(table).flatMap(([key, lines]) => {
    const [apiVersion = '', ...kinds] = key.split(' ');
    return kinds.flatMap((kind) =>
      lines.map((line) => {
        const [expected = '', ...words] = line.split(' ');
        return { title: `${apiVersion} ${kind}: ${line}`, object: objectOf(apiVersion, kind, words), expected };
      }),
    );
  });
}

function objectOf(apiVersion: string, kind: string, words: readonly string[]): LiveObject {
  const object = { metadata: newMap(), spec: newMap(), status: newMap() };
  const conditions: ValueMap[] = [];
  for (const word of words) {
    const [, name = '', text = ''] = /^([^=]*)=?(.*)$/.exec(word) ?? [];
    if (word.startsWith('#')) object.metadata['generation'] = Number(word.slice(1));
    else if (word.startsWith('@')) put(object.metadata, ['annotations', name.slice(1)], text);
    else if (word.startsWith('.')) put(object.status, name.slice(1).split('.'), valueOf(text));
    else if (word.startsWith('spec.')) put(object.spec, name.split('.').slice(1), valueOf(text));
    else conditions.push(conditionOf(name, text));
  }
  if (conditions.length > 0) object.status['conditions'] = conditions;
  return live(apiVersion, kind, object);
}

/** `Status/Reason/Severity`. */
function conditionOf(type: string, text: string): ValueMap {
  const [status = '', reason = '', severity = ''] = text.split('/');
  return { ...condition(type, status, reason, `the message of ${type}`), ...(severity ? { severity } : {}) };
}

function valueOf(text: string): Value {
  return JSON.parse(text.replaceAll('~', ' ')) as Value;
}

function put(map: ValueMap, [key = '', ...rest]: readonly string[], value: Value): void {
  if (rest.length === 0) {
    map[key] = value;
    return;
  }
  map[key] ??= newMap();
  put(map[key] as ValueMap, rest, value);
}
