/**
 * Shortens a status that is too large to be stored. Invariant: inventory, records of Jobs, and the types and words of
 * all conditions stay; only texts and lists for people are cut, those that are told elsewhere first.
 */
import { cutText } from '../application/conditions.ts';
import { storedBytes } from '../application/room.ts';
import type { ApplicationStatus } from '../application/status-schema.ts';
import type { Value } from '../object/value.ts';

/** Enough to name an object and a reason. */
const SHORT_CHARS = 256;

/** Each step keeps less than the one before. */
const STEPS: readonly ((status: ApplicationStatus) => ApplicationStatus)[] = [
  (status) => withoutKey(status, 'warnings'),
  ({ history, ...status }) => ({ ...status, ...(history ? { history: history.map(withoutMessage) } : {}) }),
  ({ resources, ...status }) => ({ ...status, ...(resources ? { resources: resources.map(withoutMessage) } : {}) }),
  (status) => withoutKey(status, 'resources'),
  shortenTexts,
];

/** `roomBytes`: the largest size of the JSON that the API server stores. */
export function fitStatus(status: ApplicationStatus, roomBytes: number): ApplicationStatus {
  let fitted = status;
  for (const shorten of STEPS) {
    if (storedBytes(fitted as unknown as Value) <= roomBytes) return fitted;
    fitted = shorten(fitted);
  }
  return fitted;
}

function withoutKey(status: ApplicationStatus, key: 'warnings' | 'resources'): ApplicationStatus {
  const { [key]: _dropped, ...rest } = status;
  return rest;
}

function withoutMessage<T extends { readonly message?: string | undefined }>({ message: _dropped, ...rest }: T) {
  return rest;
}

function shortenTexts({ conditions, health, lastRequest, ...status }: ApplicationStatus): ApplicationStatus {
  return {
    ...status,
    ...(conditions ? { conditions: conditions.map(withShortMessage) } : {}),
    ...(health ? { health: withShortMessage(health) } : {}),
    ...(lastRequest ? { lastRequest: withShortMessage(lastRequest) } : {}),
  };
}

function withShortMessage<T extends { readonly message?: string | undefined }>(told: T): T {
  return told.message === undefined ? told : { ...told, message: cutText(told.message, SHORT_CHARS) };
}
