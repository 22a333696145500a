/**
 * Health checks: people's own rules for the health of a kind, as expressions of CEL, in the form of Flux's
 * `healthCheckExprs`. The expressions are texts here. Only the sandbox reads and evaluates them (health/checks/).
 */

export interface HealthCheck {
  /** Only the group counts. */
  readonly apiVersion: string;
  /** undefined: every kind of the group that has no check of its own. */
  readonly kind?: string | undefined;
  readonly inProgress?: string | undefined;
  readonly failed?: string | undefined;
  readonly current: string;
}

/** In the order in which they are evaluated. */
export const CHECK_FIELDS = ['inProgress', 'failed', 'current'] as const;
export type CheckField = (typeof CHECK_FIELDS)[number];

/** `<kind> of <group>`, as messages name a check. */
export function nameOfCheck({ apiVersion, kind }: Pick<HealthCheck, 'apiVersion' | 'kind'>): string {
  const slash = apiVersion.indexOf('/');
  const group = slash < 0 ? 'the core group' : apiVersion.slice(0, slash);
  return `${kind ?? 'all kinds'} of ${group}`;
}
