/**
 * The first fields of a watch event, read without parsing the whole of it. The API server writes the fields of its own
 * kinds in a fixed order; an event in any other order has no head here, and is parsed.
 */

export interface EventHead {
  readonly name: string;
  /** Empty for cluster-scoped objects. */
  readonly namespace: string;
  readonly resourceVersion: string;
}

const TEXT = String.raw`"([^"\\]+)"`;
const FIELDS = [
  String.raw`^\{"type":"(?:ADDED|MODIFIED)","object":\{"kind":"[^"\\]+","apiVersion":"[^"\\]+","metadata":\{"name":${TEXT}`,
  String.raw`(?:,"generateName":"[^"\\]*")?(?:,"namespace":${TEXT})?,"uid":"[^"\\]+","resourceVersion":"(\d+)"`,
];
const HEAD = new RegExp(FIELDS.join(''));

/** `line` is the JSON of a watch event. undefined: it changes or adds no object, or its fields are in another order. */
export function readEventHead(line: string): EventHead | undefined {
  const [, name, namespace = '', resourceVersion] = HEAD.exec(line) ?? [];
  return name === undefined || resourceVersion === undefined ? undefined : { name, namespace, resourceVersion };
}
