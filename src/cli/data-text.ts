/** Values as the commands print them for programs. */
import { stringifyJson } from '../object/json.ts';
import type { Value } from '../object/value.ts';
import { writeYamlToShow } from '../object/yaml/write.ts';

export function dataText(value: Value, output: 'json' | 'yaml'): string {
  return output === 'json' ? `${stringifyJson(value, 2)}\n` : writeYamlToShow(value);
}
