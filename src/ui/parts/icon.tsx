/** Icons in the colour of the text. Each tone has a shape of its own, so that no state is told by its colour alone. */
import type { VNode } from 'preact';
import type { Tone } from '../logic/words.ts';

/** Paths in a square of 16 by 16. */
const PATHS = {
  error: 'M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1ZM5.3 5.3l5.4 5.4M10.7 5.3l-5.4 5.4',
  warning: 'M8 1.8 15 14H1L8 1.8ZM8 6.2v3.6M8 11.9v.1',
  progressing: 'M8 1a7 7 0 1 0 7 7M8 4.2V8l2.6 1.8',
  unknown: 'M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1ZM6 6.2a2 2 0 1 1 2.6 1.9c-.4.2-.6.5-.6 1M8 11.6v.1',
  suspended: 'M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1ZM6.2 5.5v5M9.8 5.5v5',
  ok: 'M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1ZM4.9 8.2l2.2 2.2 4-4.6',
  search: 'M7 2a5 5 0 1 0 0 10A5 5 0 0 0 7 2ZM10.7 10.7 14 14',
  refresh: 'M13.5 8a5.5 5.5 0 1 1-1.7-4M13.6 1.6v3h-3',
  close: 'M3.5 3.5l9 9M12.5 3.5l-9 9',
  chevron: 'M6 3.5 10.5 8 6 12.5',
  copy: 'M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { readonly name: IconName | Tone }): VNode {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
