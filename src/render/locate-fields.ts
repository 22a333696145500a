/**
 * Finds the lines of fields that the API server refuses, in the files that the objects are from.
 *
 * Invariant: a line is only named if the file holds the field as the object has it. A field that a patch, a generator
 * or a chart has set is not found, and the caller names the line of the object.
 */
import { locateMember, type YamlPath } from '../object/yaml/locate.ts';
import type { FileTree } from './file-tree.ts';

export interface FieldQuestion {
  readonly file: string;
  /** 1-based line of the first node of the object. */
  readonly line: number;
  readonly apiVersion: string;
  readonly kind: string;
  readonly path: YamlPath;
  /** The value of the field as a text; null if it is a map, a list or null. */
  readonly scalar: string | null;
}

/** For each question the 1-based line, or null if it is not known. */
export function locateFields(
  tree: Pick<FileTree, 'find' | 'read'>,
  questions: readonly FieldQuestion[],
  { maxFileBytes }: { readonly maxFileBytes: number },
): (number | null)[] {
  const texts = new Map<string, string | undefined>();
  return questions.map(({ file, line, path, scalar, ...object }) => {
    if (!texts.has(file)) texts.set(file, readText(tree, file, maxFileBytes));
    const found = locateMember(texts.get(file) ?? '', {
      line,
      path,
      isWanted: (scalarAt) => scalarAt(['kind']) === object.kind && scalarAt(['apiVersion']) === object.apiVersion,
    });
    if (!found || (scalar !== null && found.scalar !== scalar)) return null;
    return found.line;
  });
}

function readText(tree: Pick<FileTree, 'find' | 'read'>, file: string, maxFileBytes: number): string | undefined {
  const found = tree.find(file);
  if (found.type !== 'file' || found.sizeBytes > maxFileBytes) return undefined;
  return Buffer.from(tree.read(file)).toString('utf8');
}
