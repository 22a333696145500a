/** One object of a render, with the file that it comes from. */
import type { ValueMap } from '../object/value.ts';

export interface BuiltObject {
  /** Has a kind and a name; the apiVersion may be missing, which kustomize accepts. */
  readonly object: ValueMap;
  /** `digestValue(object)`, if it has been computed already. */
  readonly digest?: string;
  readonly file: string;
  readonly line: number;
  /** It is no Secret, and may hold values of a sealed file or of a substituted Secret: its values are not shown. */
  readonly isSealed?: true;
}
