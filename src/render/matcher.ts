/**
 * Patterns of paths and texts as automata. No pattern needs more than its length times that of the text, whatever it
 * contains. Every kind of pattern of render/ has a file of its own that reads it into pieces, because each
 * specification has other rules for slashes, brackets and malformed patterns; the search is the same for all.
 */

/** One part of a pattern. */
export type Piece =
  /** One character. */
  | { readonly type: 'one'; readonly accepts: (char: string) => boolean }
  /** Any number of characters, also none. */
  | { readonly type: 'many'; readonly accepts: (char: string) => boolean }
  /** One of several patterns. */
  | { readonly type: 'choice'; readonly options: readonly (readonly Piece[])[] };

/** Whether a path matches. `charge` gets the steps of the search. */
export type Matcher = (path: string, charge: (steps: number) => void) => boolean;

export function charPiece(char: string): Piece {
  return { type: 'one', accepts: (found) => found === char };
}

export const ANY = (): boolean => true;
export const NO_SLASH = (char: string): boolean => char !== '/';

/** Folders, each with its slash, or nothing. */
export const FOLDERS: Piece = {
  type: 'choice',
  options: [[], [{ type: 'many', accepts: ANY }, charPiece('/')]],
};

/** A piece that was read, with the position of its last character. */
export interface ReadPiece {
  readonly piece: Piece;
  readonly end: number;
}

/**
 * Reads a class in brackets, a character behind a backslash, or a character that stands for itself. `readClass` gets
 * the position behind the bracket. undefined: malformed.
 */
export function readCharacter(
  chars: readonly string[],
  at: number,
  readClass: (chars: readonly string[], from: number) => ReadPiece | undefined,
): ReadPiece | undefined {
  const char = chars[at];
  if (char === '[') return readClass(chars, at + 1);
  const end = char === '\\' ? at + 1 : at;
  const literal = chars[end];
  return literal === undefined ? undefined : { piece: charPiece(literal), end };
}

interface State {
  /** undefined: it is left without a character. */
  readonly accepts: ((char: string) => boolean) | undefined;
  readonly next: number[];
}

/** A search through one text, character by character. */
export interface Search {
  /** Whether the pattern matches the characters that were taken until now. */
  isMatch(): boolean;
  /** Whether no further character can lead to a match. */
  isOver(): boolean;
  /** The steps that the next character takes. */
  steps(): number;
  take(char: string): void;
}

/** Returns what begins a search. */
export function compileSearch(pieces: readonly Piece[]): () => Search {
  const states: State[] = [{ accepts: undefined, next: [] }];
  const end = append(states, pieces, 0);
  return () => {
    let active = reach(states, [0]);
    return {
      isMatch: () => active.has(end),
      isOver: () => active.size === 0,
      steps: () => active.size,
      take(char) {
        const next: number[] = [];
        for (const id of active) {
          const state = states[id];
          if (state?.accepts?.(char) === true) next.push(...state.next);
        }
        active = reach(states, next);
      },
    };
  };
}

export function compileMatcher(pieces: readonly Piece[]): Matcher {
  const begin = compileSearch(pieces);
  return (path, charge) => {
    const search = begin();
    for (const char of path) {
      charge(search.steps());
      if (search.isOver()) return false;
      search.take(char);
    }
    return search.isMatch();
  };
}

/** Adds the states of a pattern behind the state `from`; returns the last one. */
function append(states: State[], pieces: readonly Piece[], from: number): number {
  return pieces.reduce((at, piece) => appendPiece(states, piece, at), from);
}

function appendPiece(states: State[], piece: Piece, from: number): number {
  if (piece.type === 'choice') {
    const ends = piece.options.map((option) => append(states, option, addState(states, undefined, from)));
    const end = addState(states, undefined);
    for (const one of ends) states[one]?.next.push(end);
    return end;
  }
  const state = addState(states, piece.accepts, from);
  if (piece.type === 'one') {
    const end = addState(states, undefined);
    states[state]?.next.push(end);
    return end;
  }
  const end = addState(states, undefined, from);
  states[state]?.next.push(state, end);
  return end;
}

/** `from`: a state that leads to the new one. */
function addState(states: State[], accepts: State['accepts'], from?: number): number {
  const id = states.push({ accepts, next: [] }) - 1;
  if (from !== undefined) states[from]?.next.push(id);
  return id;
}

/** The states that can be reached without a character. A state that needs one is not passed. */
function reach(states: readonly State[], from: readonly number[]): Set<number> {
  const reached = new Set(from);
  for (const id of reached) {
    const state = states[id];
    if (state?.accepts === undefined) state?.next.forEach((next) => reached.add(next));
  }
  return reached;
}
