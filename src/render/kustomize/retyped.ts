/** Texts that kustomize writes into a scalar without the type that the scalar had. */
import { styledAs, type YamlNode, type YamlScalar } from '../../object/yaml/node.ts';
import { resolvePlain } from '../../object/yaml/scalar.ts';

/** kustomize drops the type of the scalar and keeps its quotes: without quotes the new text may read as a number. */
export function retyped(found: YamlNode, text: string): YamlNode {
  const styled = styledAs(found, text);
  const plain = typeof styled === 'string' ? resolvePlain(text) : styled;
  return typeof plain === 'string' || plain === styled ? styled : { ...plain, isUntyped: true };
}

/** A text whose type is not kept: a replacement that follows may make it a number, a boolean or null. */
export function untypedText(text: string): YamlScalar {
  return { text, value: text, isUntyped: true };
}
