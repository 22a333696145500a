/**
 * The keys and values of a generator: env files first, then literals, then files. Every key must be unique.
 *
 * Invariant: no problem of a generator of Secrets shows a path or a key of an env file: a value may stand there by
 * mistake.
 */
import { posix } from 'node:path';
import { fail, problemOf, withPlace } from '../../fail.ts';
import { countGenerated, decodeUtf8 } from '../../file-loader.ts';
import { loadBytes, loadUnsealed, locateFile, type Layer } from '../layer.ts';

type GeneratorArgs = Layer['kustomization']['configMapGenerator'][number];

export function loadPairs(layer: Layer, args: GeneratorArgs, isSecret: boolean): Map<string, Uint8Array> {
  const pairs = new Map<string, Uint8Array>();
  // A ConfigMap would show the content of a sealed file to everyone who may read the namespace.
  const load = isSecret ? loadBytes : loadUnsealed;
  const add = (key: string, value: Uint8Array): void => {
    countGenerated(layer.build.context, value.length);
    const shown = isSecret ? 'a key' : `the key ${key}`;
    if (pairs.has(key)) fail('KustomizationInvalid', `the generator of ${args.name} has ${shown} twice`);
    pairs.set(key, value);
  };
  const envFiles = args.env === '' ? args.envs : [...args.envs, args.env];
  const reading = (what: string, run: () => void): void => {
    if (isSecret) withoutPath(`${what} of the generator of ${args.name}`, run);
    else run();
  };
  for (const path of envFiles) reading('an env file', () => readEnvFile(layer, path, { load, add }));
  for (const literal of args.literals) {
    const [key, value] = parseLiteral(literal, args.name);
    add(key, Buffer.from(value));
  }
  for (const source of args.files) {
    const named = /^[-._a-zA-Z0-9]+(?==[^=]+$)/.exec(source)?.[0];
    reading(named === undefined ? 'a file' : `the file of the key ${named}`, () => {
      const { key, path } = parseFileSource(source);
      add(key, load(layer, path, named === undefined ? undefined : key));
    });
  }
  return pairs;
}

/** Problems that show no path but that of a file which exists. */
const SAFE_CODES: ReadonlySet<string> = new Set(['LimitExceeded', 'Sealed', 'DecryptionFailed']);

/** Replaces problems of the path by one that does not show it. */
function withoutPath(what: string, run: () => void): void {
  try {
    run();
  } catch (error) {
    const { code } = problemOf(error);
    if (SAFE_CODES.has(code)) throw error;
    const hint = 'Paths are not shown here, since a value may stand in their place. Values belong under literals.';
    fail(code, `${what} cannot be read: name one file in or below the folder of the kustomization, once`, { hint });
  }
}

function parseLiteral(literal: string, name: string): [string, string] {
  const equals = literal.indexOf('=');
  // The literal may be a password, so the message names only the generator.
  if (equals <= 0)
    return fail('KustomizationInvalid', `a literal of the generator of ${name} must have the form key=value`);
  return [literal.slice(0, equals), unquote(literal.slice(equals + 1))];
}

function unquote(text: string): string {
  const isQuoted = text.length >= 2 && text[0] === text.at(-1) && (text[0] === '"' || text[0] === "'");
  return isQuoted ? text.slice(1, -1) : text;
}

function parseFileSource(source: string): { key: string; path: string } {
  const [key = '', path, ...rest] = source.split('=');
  if (path === undefined) return { key: posix.basename(source), path: source };
  if (rest.length > 0) fail('KustomizationInvalid', `the file source ${source} has more than one =`);
  if (key === '') fail('KustomizationInvalid', `the file source ${source} has no key before =`);
  if (path === '') fail('KustomizationInvalid', `the file source ${source} has no path after =`);
  return { key, path };
}

interface EnvFileUse {
  readonly load: typeof loadBytes;
  readonly add: (key: string, value: Uint8Array) => void;
}

function readEnvFile(layer: Layer, path: string, { load, add }: EnvFileUse): void {
  const file = locateFile(layer, path);
  const text = decodeUtf8(load(layer, path));
  if (text === undefined) fail('KustomizationInvalid', `the env file ${path} is not UTF-8`, { file });
  withPlace({ file }, () => {
    for (const line of text.replace(/^\ufeff/, '').split('\n')) {
      const content = line.replace(/\r$/, '').replace(/^[\s\u0085]+/u, '');
      if (content === '' || content.startsWith('#')) continue;
      const equals = content.indexOf('=');
      if (equals === 0) continue;
      const key = equals < 0 ? content : content.slice(0, equals);
      add(key, Buffer.from(equals < 0 ? '' : content.slice(equals + 1)));
    }
  });
}
