/**
 * Tells whether the definitions of kinds have changed: a group is described by its discovered kinds, and by the hashes
 * of its schemas, which the API server names in the index of OpenAPI v3.
 */
import { groupOf } from '../../object/identity.ts';
import { mapAt, stringAt } from '../../object/value.ts';
import { agentIdentity } from '../identity.ts';
import type { Kinds } from '../kinds.ts';
import { tryParseJson } from '../live-object.ts';
import type { Transport } from '../transport/transport.ts';
import type { Discovery } from './discovery.ts';

export interface DefinitionsOptions {
  readonly transport: Pick<Transport, 'send'>;
  readonly discovery: Pick<Discovery, 'kinds'>;
}

/** By group: a text that changes with its definitions. undefined: the API server does not answer. */
export async function readDefinitions(options: DefinitionsOptions): Promise<ReadonlyMap<string, string> | undefined> {
  try {
    const [kinds, schemas] = await Promise.all([
      options.discovery.kinds({ refresh: true }),
      readSchemaHashes(options.transport),
    ]);
    return describeGroups(kinds, schemas);
  } catch {
    return undefined;
  }
}

/** Lines of a group are sorted, so that the order of an answer does not count. */
export function describeGroups(kinds: Kinds, schemas: ReadonlyMap<string, string>): Map<string, string> {
  const lines = new Map<string, string[]>();
  const add = (group: string, line: string): void => {
    const known = lines.get(group);
    if (known) known.push(line);
    else lines.set(group, [line]);
  };
  for (const [key, { group, plural, isNamespaced, hasStatus }] of kinds.served) {
    add(group, [key, plural, isNamespaced, hasStatus].join(' '));
  }
  for (const apiVersion of kinds.stale) add(groupOf(apiVersion), `${apiVersion} does not answer`);
  for (const [apiVersion, hash] of schemas) add(groupOf(apiVersion), `${apiVersion} ${hash}`);
  return new Map([...lines].map(([group, texts]) => [group, texts.sort().join('\n')]));
}

/** By apiVersion of a group. Empty where the server has no such index, or does not show it. */
async function readSchemaHashes(transport: Pick<Transport, 'send'>): Promise<Map<string, string>> {
  const hashes = new Map<string, string>();
  const answer = await transport.send({
    verb: 'get',
    method: 'GET',
    path: '/openapi/v3',
    identity: agentIdentity,
    category: 'discovery',
    accept: 'application/json',
    acceptsGzip: true,
  });
  if (answer.status !== 200) return hashes;
  for (const [path, entry] of Object.entries(mapAt(tryParseJson(answer.text), 'paths'))) {
    const apiVersion = /^apis\/([^/]+\/[^/]+)$/.exec(path)?.[1];
    if (apiVersion !== undefined) hashes.set(apiVersion, stringAt(entry, 'serverRelativeURL') ?? '');
  }
  return hashes;
}
