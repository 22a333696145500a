/** Names the signed object, its repository and the Secret in the error of a refused signature. */
import { printable } from '../../object/printable.ts';
import { sourceError } from '../../object/source-error.ts';
import { SignatureRefusal } from './refusal.ts';

export interface Refused {
  readonly verification: { readonly secret: string; readonly field: string };
  /** Names the repository in messages. */
  readonly label: string;
}

/** `subject` begins the message: `The commit …`. Throws StageErrors in the place of refusals. */
export async function explained<T>(
  subject: string,
  { verification: { secret, field }, label }: Refused,
  work: () => T | Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof SignatureRefusal)) throw error;
    throw sourceError(
      error.code,
      `${subject} of ${label} ${error.message} ${field} asks for a signature by a key of the Secret ${secret}.`,
    );
  }
}

const MAX_NAME_CHARS = 200;

/** A name that another person wrote, for a message or for status. */
export function boundedName(name: string): string {
  const shown = printable(name);
  return shown.length <= MAX_NAME_CHARS
    ? shown
    : `${shown.slice(0, MAX_NAME_CHARS - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}
