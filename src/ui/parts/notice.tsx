/** Notices in place of a view: it is empty, loads, or was refused. */
import type { ComponentChildren, VNode } from 'preact';
import { titleOf, type Refusal } from '../logic/request-words.ts';
import type { Tone } from '../logic/words.ts';
import { Icon } from './icon.tsx';

export interface NoticeProps {
  readonly title: string;
  readonly tone?: Tone;
  readonly children?: ComponentChildren;
}

export function Notice({ title, tone, children }: NoticeProps): VNode {
  return (
    <div class={`notice ${tone ? `tone-${tone}` : ''}`}>
      {tone && <Icon name={tone} />}
      <div>
        <p class="notice-title">{title}</p>
        {children}
      </div>
    </div>
  );
}

/** Says why an answer is missing. */
export function Refused({ refusal }: { readonly refusal: Refusal }): VNode {
  return (
    <Notice title={titleOf(refusal)} tone={refusal.status === 0 ? 'progressing' : 'warning'}>
      <p>{refusal.detail}</p>
    </Notice>
  );
}

/** Grey lines in place of what is being read. */
export function Loading({ what }: { readonly what: string }): VNode {
  return (
    <div class="loading" role="status">
      <span class="visually-hidden">{`Loading ${what}…`}</span>
      <div class="bone" />
      <div class="bone" />
      <div class="bone" />
    </div>
  );
}
