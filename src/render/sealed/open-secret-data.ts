/**
 * Opens sealed files within the data of a Secret, as Flux does: a whole file that SOPS has sealed stands there in
 * base64, for example because a chart has placed it.
 *
 * Invariant: a Secret never carries a sealed file on to the cluster.
 */
import type { Problem } from '../../object/problem.ts';
import { isSecret } from '../../object/redact.ts';
import { isKubeObject, isMap, newMap, own, type Value, type ValueMap } from '../../object/value.ts';
import type { BuiltObject } from '../built-object.ts';
import { problemOf } from '../fail.ts';
import { markContained, openSealed, type RenderContext } from '../file-loader.ts';

/** The object itself if nothing in it is sealed. Otherwise a copy; a problem leaves the object as it is. */
export function openSecretData(context: RenderContext, built: BuiltObject, problems: Problem[]): BuiltObject {
  const { object, file, line } = built;
  if (!isKubeObject(object) || !isSecret(object)) return built;
  const opened = newMap(Object.entries(object));
  let isChanged = false;
  for (const field of ['data', 'stringData'] as const) {
    const values = own(object, field);
    if (!isMap(values)) continue;
    try {
      const changed = openValues(context, values, { isBase64: field === 'data', file, line });
      isChanged ||= changed !== values;
      opened[field] = changed;
    } catch (error) {
      problems.push(problemOf(error));
    }
  }
  return isChanged ? { object: opened, file, line } : built;
}

interface Place {
  readonly isBase64: boolean;
  readonly file: string;
  readonly line: number;
}

function openValues(context: RenderContext, values: ValueMap, { isBase64, ...place }: Place): ValueMap {
  const encoding = isBase64 ? 'base64' : 'utf8';
  const changed = new Map<string, Value>();
  for (const [key, value] of Object.entries(values)) {
    if (typeof value !== 'string') continue;
    const bytes = Buffer.from(value, encoding);
    const opened = openSealed(context, { bytes, name: key, ...place });
    if (opened === bytes) continue;
    markContained(context, place.file);
    changed.set(key, Buffer.from(opened).toString(encoding));
  }
  if (changed.size === 0) return values;
  return newMap(Object.entries(values).map(([key, value]) => [key, changed.get(key) ?? value] as const));
}
