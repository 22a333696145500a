/** Marks the objects that may hold values of sealed files and are no Secrets, whose values are hidden anyway. */
import { isSecret } from '../../object/redact.ts';
import { isKubeObject } from '../../object/value.ts';
import type { BuiltObject } from '../built-object.ts';
import type { RenderContext } from '../file-loader.ts';

export function markSealed(
  { sealedFiles }: Pick<RenderContext, 'sealedFiles'>,
  objects: readonly BuiltObject[],
): readonly BuiltObject[] {
  const contents = [...sealedFiles.values()].filter(({ opened }) => opened !== undefined);
  if (contents.length === 0) return objects;
  const mayBeAnywhere = contents.some(({ reads, containedReads }) => reads > containedReads);
  return objects.map((built) => {
    const isHidden = isKubeObject(built.object) && isSecret(built.object);
    return !isHidden && (mayBeAnywhere || sealedFiles.has(built.file)) ? { ...built, isSealed: true } : built;
  });
}
