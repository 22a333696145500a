/**
 * Files with values that SOPS has sealed: they reach helm as texts on its standard input, so that their content is
 * never on the disk.
 *
 * Invariant: behind the first sealed file every file is given as text, because a text behind a file would become a
 * file.
 */
import { fail } from '../fail.ts';
import { decodeUtf8, openSealed, readStoredBytes, type RenderContext } from '../file-loader.ts';
import type { HelmValues } from '../needs.ts';
import { readSealed } from '../sealed/sealed-file.ts';
import { openPlace, shownPath, within, type OpenPlace } from './chart-place.ts';

/**
 * The same values in the same order; undefined while a file is not opened yet. Fails with Sealed or
 * DecryptionFailed, or as a read of a file does.
 */
export function withOpenedFiles(
  context: RenderContext,
  values: readonly HelmValues[],
): readonly HelmValues[] | undefined {
  let isBehindSealed = false;
  let isOpen = true;
  const opened = values.map((one): HelmValues => {
    if (one.type === 'text') return one;
    const read = readValuesFile(context, placeOf(context, one.place));
    isBehindSealed ||= read.isSealed;
    isOpen &&= !read.isPending;
    return isBehindSealed ? { type: 'text', text: read.text(), isSecret: true } : one;
  });
  return isOpen ? opened : undefined;
}

function placeOf({ tree, trees }: RenderContext, place: { readonly tree: string; readonly path: string }): OpenPlace {
  if (place.tree === '') return { ...place, files: tree, shownAs: '' };
  return openPlace({ tree, trees }, `${place.tree}/${place.path}`);
}

export interface ValuesFile {
  /** Fails with ValuesInvalid if it is not UTF-8. */
  readonly text: () => string;
  readonly isSealed: boolean;
  /** It is sealed and not opened yet. */
  readonly isPending: boolean;
}

/** The opened content of a file with values. */
export function readValuesFile(context: RenderContext, place: OpenPlace): ValuesFile {
  const file = shownPath(place);
  const stored = readStoredBytes({ ...context, tree: place.files }, place.path);
  const bytes = openSealed(context, { bytes: stored, name: place.path, file });
  const content = context.sealedFiles.get(file);
  return {
    text: () => decodeUtf8(bytes) ?? fail('ValuesInvalid', 'the file with values is not UTF-8', { file }),
    isSealed: content !== undefined,
    isPending: content !== undefined && content.opened === undefined,
  };
}

/** helm reads this file of the chart by itself, as it is. Fails with Sealed. */
export function refuseSealedDefaults(context: RenderContext, chart: OpenPlace): void {
  const place = within(chart, 'values.yaml');
  if (place.files.find(place.path).type !== 'file') return;
  const bytes = readStoredBytes({ ...context, tree: place.files }, place.path);
  if (readSealed(bytes, place.path, context.limits) === undefined) return;
  fail('Sealed', 'values.yaml of a chart is sealed by SOPS, and helm would read it as it is', {
    file: shownPath(place),
    hint: 'Move the sealed values to another file, and name it under valueFiles.',
  });
}
