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

export function isDiscoveryDue(pace: DiscoveryPace, { nowMs, definitions }: Lack): boolean {
  return nowMs >= pace.nextMs || definitions !== pace.definitions;
}

/** The pace after discovery was asked. */
export function paceAfterDiscovery(
  before: DiscoveryPace,
  { nowMs, definitions, isAwaited }: Lack,
  {
    discoveryRetryMs,
    awaitedDiscoveryRetryMs,
  }: Pick<ReconcileSettings, 'discoveryRetryMs' | 'awaitedDiscoveryRetryMs'>,
): DiscoveryPace {
  const isNews = definitions !== before.definitions;
  const grownMs = isNews ? awaitedDiscoveryRetryMs : Math.max(awaitedDiscoveryRetryMs, 2 * before.pauseMs);
  const pauseMs = isAwaited ? Math.min(grownMs, discoveryRetryMs) : discoveryRetryMs;
  return { nextMs: nowMs + pauseMs, pauseMs, definitions };
}
