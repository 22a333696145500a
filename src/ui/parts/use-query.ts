/** The query of the address, which holds what a view shows, so that every view can be sent as a link. */
import { useLocation } from 'preact-iso/router';

export interface Query {
  readonly query: Readonly<Record<string, string>>;
  /** The address with these fields; an empty or undefined value removes the field. */
  readonly hrefWith: (changes: Readonly<Record<string, string | undefined>>) => string;
  /** Goes there. `replace`: without an entry in the history of the browser. */
  readonly change: (changes: Readonly<Record<string, string | undefined>>, replace?: boolean) => void;
}

export function useQuery(): Query {
  const { query, path, route } = useLocation();
  const hrefWith: Query['hrefWith'] = (changes) => {
    const next = new URLSearchParams(query);
    for (const [name, value] of Object.entries(changes)) {
      if (value === undefined || value === '') next.delete(name);
      else next.set(name, value);
    }
    const text = next.toString();
    return text === '' ? path : `${path}?${text}`;
  };
  return { query, hrefWith, change: (changes, replace = false) => route(hrefWith(changes), replace) };
}
