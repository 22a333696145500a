/**
 * What the API server's answers mean, read by one table (rows after the reference page on answers); see `readAnswer`.
 */

/** Why a write or read was refused. Closed list. */
export type RefusalCode =
  | 'InvalidManifest' // unknown field, wrong type, duplicate list key, invalid value: never retried
  | 'Immutable' // the update is what is forbidden: recreating would help
  | 'FieldConflict' // another manager owns a field we send (only without force)
  | 'Modified' // uid or resourceVersion precondition failed
  | 'NamespaceMissing'
  | 'NamespaceTerminating'
  | 'Forbidden' // RBAC, quota, PodSecurity, admission policy
  | 'Unauthorized'
  | 'KindNotServed' // 404 without a Status of the object's kind
  | 'NotFound' // 404 of the object itself
  | 'TooLarge'
  | 'Throttled' // 429
  | 'Unavailable'; // network, 5xx, timeouts: backoff

export interface Refusal {
  readonly code: RefusalCode;
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  /** For a person; holds no value of the object. */
  readonly message: string;
  readonly retry: 'never' | 'backoff' | { readonly afterMs: number };
  /** For FieldConflict: JSON pointers or field paths as the server names them, with the manager that owns each. */
  readonly conflicts?: readonly { readonly field: string; readonly manager: string }[];
  /** For InvalidManifest and Immutable: the fields that the server names. */
  readonly fields?: readonly string[];
}
