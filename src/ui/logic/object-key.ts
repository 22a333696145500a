/** Objects by name: `group/Kind/namespace/name`, as requests and the address of the page write them. */

export interface ObjectNames {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

export function keyOf({ group, kind, namespace, name }: ObjectNames): string {
  return `${group}/${kind}/${namespace}/${name}`;
}

/** undefined: the text names no object. */
export function readKey(text: string): ObjectNames | undefined {
  const [group, kind, namespace, ...rest] = text.split('/');
  const name = rest.join('/');
  if (group === undefined || !kind || namespace === undefined || name === '') return undefined;
  return { group, kind, namespace, name };
}

/** The query that names the object in a request of the status API. */
export function queryOf({ group, kind, namespace, name }: ObjectNames): string {
  return new URLSearchParams({ group, kind, namespace, name }).toString();
}

/** `Deployment shop/web`, or `Namespace shop`. */
export function nameOf({ kind, namespace, name }: ObjectNames): string {
  return namespace === '' ? `${kind} ${name}` : `${kind} ${namespace}/${name}`;
}
