/**
 * When discovery is asked again for kinds that the API server lacks: at once when the server has accepted a definition
 * that is to bring one, else after a pause. The pause grows while the kinds are still lacking, as they may be for good:
 * a definition that is refused is never served.
 */
import type { ReconcileSettings } from '../context.ts';
import type { DiscoveryPace } from './memory.ts';

export interface Lack {
  /** Monotonic. */
  readonly nowMs: number;
  /** As in `DiscoveryPace`, of now. */
  readonly definitions: string;
  /** Whether a definition of the render is to bring a kind that is lacking. */
  readonly isAwaited: boolean;
}

export function isDiscoveryDue(pace: DiscoveryPace | undefined, { nowMs, definitions }: Lack): boolean {
  return !pace || nowMs >= pace.nextMs || definitions !== pace.definitions;
}

/** The pace after discovery was asked. */
export function paceAfterDiscovery(
  before: DiscoveryPace | undefined,
  { nowMs, definitions, isAwaited }: Lack,
  {
    discoveryRetryMs,
    awaitedDiscoveryRetryMs,
  }: Pick<ReconcileSettings, 'discoveryRetryMs' | 'awaitedDiscoveryRetryMs'>,
): DiscoveryPace {
  const isKnown = before?.definitions === definitions;
  const grownMs = isKnown ? Math.max(awaitedDiscoveryRetryMs, 2 * before.pauseMs) : awaitedDiscoveryRetryMs;
  const pauseMs = isAwaited ? Math.min(grownMs, discoveryRetryMs) : discoveryRetryMs;
  return { nextMs: nowMs + pauseMs, pauseMs, definitions };
}
