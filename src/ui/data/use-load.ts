/** Hooks that read an answer of the API for a component, and again when it may have changed. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { Refusal } from '../logic/request-words.ts';
import { getJson, refusalIn } from './http.ts';

export interface Loaded<T> {
  /** The last answer; undefined until there is one. */
  readonly data: T | undefined;
  readonly refusal: Refusal | undefined;
  readonly reload: () => void;
}

/** Reads at most once in this time. */
const PACE_MS = 400;

/**
 * `path`: below `/api/v1`; undefined: nothing is read. `watch` registers a callback for changes, and returns a function
 * that ends it.
 */
export function useLoad<T>(path: string | undefined, watch?: (onChange: () => void) => () => void): Loaded<T> {
  const [state, setState] = useState<{ path: string | undefined; data?: T; refusal?: Refusal }>({ path });
  const round = useRef(0);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);

  const load = useCallback(async (): Promise<void> => {
    if (path === undefined) return;
    const own = ++round.current;
    try {
      const data = await getJson<T>(path);
      if (own === round.current) setState({ path, data });
    } catch (error) {
      const refusal = refusalIn(error);
      // Offline: the last answer stays, and the page says that it is offline.
      if (own === round.current) {
        setState((last) => ({
          path,
          refusal,
          ...(refusal.status === 0 && last.path === path && last.data !== undefined ? { data: last.data } : {}),
        }));
      }
    }
  }, [path]);

  const reload = useCallback((): void => {
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      void load();
    }, PACE_MS);
  }, [load]);

  useEffect(() => {
    void load();
    const end = watch?.(reload);
    return () => {
      end?.();
      round.current++;
      clearTimeout(timer.current);
      timer.current = undefined;
    };
  }, [load]);

  const isCurrent = state.path === path;
  return { data: isCurrent ? state.data : undefined, refusal: isCurrent ? state.refusal : undefined, reload };
}
