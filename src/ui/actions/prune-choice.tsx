/** Whether objects that left Git are deleted: as the Application says, or as a person chooses. */
import type { VNode } from 'preact';

export type PruneWish = 'spec' | 'yes' | 'no';

export interface PruneChoiceProps {
  readonly value: PruneWish;
  readonly onChange: (value: PruneWish) => void;
}

const WORDS: Readonly<Record<PruneWish, string>> = {
  spec: 'as the Application says',
  yes: 'delete them',
  no: 'keep them',
};

export function PruneChoice({ value, onChange }: PruneChoiceProps): VNode {
  return (
    <label class="choice">
      <span>Objects that left Git</span>
      <select value={value} onChange={({ currentTarget }) => onChange(currentTarget.value as PruneWish)}>
        {(Object.keys(WORDS) as PruneWish[]).map((wish) => (
          <option key={wish} value={wish}>
            {WORDS[wish]}
          </option>
        ))}
      </select>
    </label>
  );
}

/** The field `prune` of a request. */
export function pruneField(wish: PruneWish): { readonly prune?: boolean } {
  return wish === 'spec' ? {} : { prune: wish === 'yes' };
}
