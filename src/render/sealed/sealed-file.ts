/**
 * Recognises files that SOPS has sealed, and reads from their metadata whom they are sealed for. The values stay
 * sealed: the program sops opens them.
 *
 * Invariants: a text that may be sealed is never taken for a plain one: if its metadata cannot be read, it is
 * malformed, and not plain. Every key of the metadata is known, so that sops finds no recipient that is not in the
 * result. The cost is linear.
 */
import { isYamlList, isYamlMap, textOf, type YamlMap, type YamlNode } from '../../object/yaml/node.ts';
import { readYaml } from '../../object/yaml/read.ts';

/** The forms of SOPS; `binary` is any other file, whose bytes are sealed as one text in JSON. */
export type SealedFormat = 'yaml' | 'json' | 'dotenv' | 'ini' | 'binary';

/** One key that opens a file. */
export interface Recipient {
  /** As in the metadata: `age`, `pgp`, `kms`, `gcp_kms`, `azure_kv`, `hc_vault`, `hckms`. */
  readonly kind: string;
  /** For people: a public key, a fingerprint or an address; cut. */
  readonly name: string;
}

export type SealedFile =
  | { readonly format: SealedFormat; readonly recipients: readonly Recipient[] }
  | { readonly format: SealedFormat; readonly malformed: string };

/** Bounds on the nodes of one file and on their nesting. */
interface YamlLimits {
  readonly maxNodes: number;
  readonly maxDepth: number;
}

/** `name`: a path or the key of a Secret, by whose end JSON is told apart from a sealed file of any other form. */
export function readSealed(bytes: Uint8Array, name: string, limits: YamlLimits): SealedFile | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!buffer.includes('ENC[') || !buffer.includes('sops')) return undefined;
  const text = buffer.toString('utf8').replace(/^\ufeff/, '');
  const lines = text.split(/\r?\n/);
  if (lines.some((line) => DOTENV_MAC.test(line))) return readFlat('dotenv', dotenvMetadata(lines));
  const section = lines.findIndex((line) => INI_SECTION.test(line));
  if (section >= 0 && lines.some((line, index) => index > section && INI_MAC.test(line))) {
    return readFlat('ini', iniMetadata(lines.slice(section + 1)));
  }
  return mayBeYaml(text) ? readTree(text, name, limits) : undefined;
}

const DOTENV_MAC = /^sops_mac=["']?ENC\[/;
const INI_SECTION = /^\s{0,100}\[\s{0,100}sops\s{0,100}\]/i;
const INI_MAC = /^\s{0,100}mac\s{0,100}[=:]\s{0,100}["'`]?ENC\[/i;

/** Both keys, in any style of YAML or JSON. Texts between them are not looked at, so the cost is linear. */
function mayBeYaml(text: string): boolean {
  return /(?:^|[\s{,"'])sops["']?\s{0,100}:/.test(text) && /(?:^|[\s{,"'])mac["']?\s{0,100}:/.test(text);
}

/** As sops writes them; such a text is sealed even if the rest of it is no YAML. */
function isWrittenBySops(text: string): boolean {
  return /^(?:sops:|\s{0,16}"sops":)/m.test(text) && /^\s{1,64}"?mac"?: "?ENC\[/m.test(text);
}

function readTree(text: string, name: string, { maxNodes, maxDepth }: YamlLimits): SealedFile | undefined {
  const isJson = /^\s*\{/.test(text);
  const read = readYaml(text, { maxNodes, maxDepth, duplicateKeys: 'error', nonTextKeys: 'text' });
  if (!read.ok) {
    const { code, message } = read.failure;
    const malformed = code === 'LimitExceeded' ? message : 'it is not valid YAML or JSON';
    return isWrittenBySops(text) ? { format: isJson ? 'json' : 'yaml', malformed } : undefined;
  }
  const documents = read.documents.flatMap(({ root }) => (isYamlMap(root) ? [root] : []));
  const sealed = documents.filter(isSealedDocument);
  const [first] = sealed;
  if (first === undefined) return undefined;
  const format = !isJson ? 'yaml' : isBinary(first, name) ? 'binary' : 'json';
  const recipients: Recipient[] = [];
  for (const document of sealed) {
    const found = recipientsOf(document.get('sops') as YamlMap);
    if (typeof found === 'string') return { format, malformed: found };
    recipients.push(...found);
  }
  return finish(format, recipients);
}

/** Objects that their own controller opens in the cluster. */
function isOpenedByController(document: YamlMap): boolean {
  return (
    textOf(document.get('kind')) === 'SopsSecret' && /^isindir\.github\.com\//.test(textOf(document.get('apiVersion')))
  );
}

function isSealedDocument(document: YamlMap): boolean {
  const metadata = document.get('sops');
  return isYamlMap(metadata) && metadata.has('mac') && !isOpenedByController(document);
}

function isBinary(document: YamlMap, name: string): boolean {
  const data = document.get('data');
  const isAlone = document.size === 2 && data !== undefined && !isYamlMap(data) && !isYamlList(data);
  return isAlone && !/\.(?:json|ya?ml|dockerconfigjson)$/.test(name);
}

/** The kinds of recipients that SOPS knows, each with the fields that name one. */
const KINDS: Readonly<Record<string, readonly string[]>> = {
  age: ['recipient'],
  pgp: ['fp'],
  kms: ['arn'],
  gcp_kms: ['resource_id'],
  azure_kv: ['vault_url', 'name'],
  hc_vault: ['vault_address', 'engine_path', 'key_name'],
  hckms: ['key_id'],
};

/** The other keys of the metadata. */
const OTHER_KEYS: ReadonlySet<string> = new Set([
  ...['lastmodified', 'mac', 'version', 'shamir_threshold', 'mac_only_encrypted'],
  ...['unencrypted_suffix', 'encrypted_suffix', 'unencrypted_regex', 'encrypted_regex'],
  ...['unencrypted_comment_regex', 'encrypted_comment_regex'],
]);

/** The recipients, or why the metadata cannot be read. sops takes a single value for a list of one. */
function recipientsOf(metadata: YamlMap, isGroup = false): Recipient[] | string {
  const recipients: Recipient[] = [];
  for (const [key, node] of metadata) {
    if (Object.hasOwn(KINDS, key)) {
      for (const item of itemsOf(node)) recipients.push({ kind: key, name: nameOf(key, item) });
    } else if (key === 'key_groups' && !isGroup) {
      for (const group of itemsOf(node)) {
        const found = isYamlMap(group) ? recipientsOf(group, true) : 'a key group is no map';
        if (typeof found === 'string') return found;
        recipients.push(...found);
      }
    } else if (isGroup || !OTHER_KEYS.has(key)) {
      return `its metadata has the unknown key ${shown(key)}`;
    }
  }
  return recipients;
}

function itemsOf(node: YamlNode): readonly YamlNode[] {
  if (isYamlList(node)) return node;
  return isYamlMap(node) || textOf(node) !== '' ? [node] : [];
}

function nameOf(kind: string, item: YamlNode): string {
  if (!isYamlMap(item)) return '';
  const parts = (KINDS[kind] ?? []).map((field) => textOf(item.get(field))).filter((part) => part !== '');
  return shown(parts.join('/'));
}

const MAX_NAME_CHARS = 120;
const MAX_RECIPIENTS = 1000;

function shown(text: string): string {
  return text.length <= MAX_NAME_CHARS ? text : `${text.slice(0, MAX_NAME_CHARS)}…`;
}

/** Metadata with one line for each value: `age__list_0__map_recipient` and its value. */
type Flat = readonly (readonly [key: string, value: string])[];

function dotenvMetadata(lines: readonly string[]): Flat {
  return lines.flatMap((line) => {
    const [, key, value] = /^sops_([^=]+)=(.*)$/.exec(line) ?? [];
    return key === undefined || value === undefined ? [] : [[key, value] as const];
  });
}

/** The lines of the section up to the next one. */
function iniMetadata(lines: readonly string[]): Flat {
  const end = lines.findIndex((line) => /^\s{0,100}\[/.test(line));
  return lines.slice(0, end < 0 ? undefined : end).flatMap((line) => {
    const delimiter = line.search(/[=:]/);
    if (delimiter <= 0 || /^\s{0,100}[#;]/.test(line)) return [];
    return [[line.slice(0, delimiter).trim(), line.slice(delimiter + 1).trim()] as const];
  });
}

function readFlat(format: SealedFormat, metadata: Flat): SealedFile {
  const names = new Map<string, { readonly kind: string; readonly parts: string[] }>();
  for (const [key, value] of metadata) {
    const path = key.split('__').map((part) => part.replace(/^map_/, ''));
    const inner = path[0] === 'key_groups' ? path.slice(2) : path;
    const [kind = '', index = '', field = ''] = inner;
    if (Object.hasOwn(KINDS, kind)) {
      const place = path.slice(0, path.length - 1).join('__') || index;
      const name = names.get(place) ?? { kind, parts: [] };
      names.set(place, name);
      if (KINDS[kind]?.includes(field)) name.parts.push(value);
    } else if (path.length > 1 || !OTHER_KEYS.has(kind)) {
      return { format, malformed: `its metadata has the unknown key ${shown(key)}` };
    }
  }
  return finish(
    format,
    Array.from(names.values(), ({ kind, parts }) => ({ kind, name: shown(parts.join('/')) })),
  );
}

function finish(format: SealedFormat, recipients: readonly Recipient[]): SealedFile {
  if (recipients.length === 0) return { format, malformed: 'its metadata names no recipient' };
  if (recipients.length > MAX_RECIPIENTS) return { format, malformed: `it has more than ${MAX_RECIPIENTS} recipients` };
  return { format, recipients };
}
