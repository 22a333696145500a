/** A state as icon, word and colour. */
import type { VNode } from 'preact';
import type { Tone } from '../logic/words.ts';
import { Icon } from './icon.tsx';

export interface StateProps {
  readonly tone: Tone;
  readonly word: string;
  /** `badge` has a background of its own. */
  readonly look?: 'badge' | 'plain';
}

export function State({ tone, word, look = 'badge' }: StateProps): VNode {
  return (
    <span class={`state ${look} tone-${tone}`}>
      <Icon name={tone} />
      <span class="word">{word}</span>
    </span>
  );
}
