/** The rows of the tree: kinds where there are many objects, objects, and below them what they own. */
import type { VNode } from 'preact';
import { keyOf } from '../logic/object-key.ts';
import type { TreeRow } from '../logic/tree-rows.ts';
import { reasonOfObject, toneOfObject, wordOfObject } from '../logic/words.ts';
import { Icon } from '../parts/icon.tsx';
import { State } from '../parts/state.tsx';
import { Time } from '../parts/time.tsx';
import { useQuery } from '../parts/use-query.ts';
import { VirtualRows, type RowProps } from '../parts/virtual-rows.tsx';

export interface ObjectRowsProps {
  readonly rows: readonly TreeRow[];
  readonly onToggle: (key: string) => void;
}

const ROW_HEIGHTS = [38, 58] as const;

export function ObjectRows({ rows, onToggle }: ObjectRowsProps): VNode {
  const { query, hrefWith } = useQuery();
  const onKey = (key: string, row: TreeRow): void => {
    if (row.isOpen !== undefined && row.isOpen === (key === 'ArrowLeft')) onToggle(row.key);
  };
  return (
    <div role="treegrid" aria-label="Objects" aria-rowcount={rows.length + 1} class="tree">
      <div role="row" aria-rowindex={1} class="tree-head">
        <span role="columnheader">Object</span>
        <span role="columnheader">State</span>
        <span role="columnheader">Reason</span>
        <span role="columnheader">Age</span>
      </div>
      <VirtualRows
        rows={rows}
        heights={ROW_HEIGHTS}
        keyOf={({ key }) => key}
        container={{ role: 'rowgroup' }}
        onKey={onKey}
        render={(row, props, index) => (
          <Row
            key={row.key}
            row={row}
            props={props}
            index={index}
            href={row.type === 'object' ? hrefWith({ object: keyOf(row.node), tab: undefined }) : ''}
            isSelected={query['object'] === row.key}
            onToggle={onToggle}
          />
        )}
      />
    </div>
  );
}

interface RowOptions {
  readonly row: TreeRow;
  readonly props: RowProps;
  readonly index: number;
  readonly href: string;
  readonly isSelected: boolean;
  readonly onToggle: (key: string) => void;
}

function Row({ row, props, index, href, isSelected, onToggle }: RowOptions): VNode {
  const { tabIndex, ...place } = props;
  const tone = row.type === 'kind' ? row.tone : toneOfObject(row.node);
  return (
    <div
      role="row"
      class={`row tree-row tone-${tone} ${isSelected ? 'selected' : ''}`}
      aria-level={row.level}
      aria-rowindex={index + 2}
      {...(row.isOpen === undefined ? {} : { 'aria-expanded': row.isOpen })}
      {...place}
    >
      <span role="gridcell" class="object-cell">
        <span class="indent" style={{ width: `${(row.level - 1) * 20}px` }} />
        {row.isOpen === undefined ? (
          <span class="no-toggle" />
        ) : (
          <button
            type="button"
            class={`toggle ${row.isOpen ? 'open' : ''}`}
            tabIndex={-1}
            aria-label={row.isOpen ? 'Close' : 'Open'}
            onClick={() => onToggle(row.key)}
          >
            <Icon name="chevron" />
          </button>
        )}
        {row.type === 'kind' ? (
          <button type="button" class="kind-name" tabIndex={tabIndex} data-focus onClick={() => onToggle(row.key)}>
            {row.title}
            <span class="size">{row.size.toLocaleString('en')}</span>
          </button>
        ) : (
          <a class="object-name" href={href} tabIndex={tabIndex} data-focus>
            <span class="kind">{row.node.kind}</span> {row.node.name}
          </a>
        )}
      </span>
      {row.type === 'kind' ? <KindCells row={row} /> : <ObjectCells row={row} />}
    </div>
  );
}

function KindCells({ row }: { readonly row: Extract<TreeRow, { type: 'kind' }> }): VNode {
  return (
    <>
      <span role="gridcell">
        <State look="plain" tone={row.tone} word={row.tone === 'ok' ? 'All well' : 'Not all well'} />
      </span>
      <span role="gridcell" />
      <span role="gridcell" />
    </>
  );
}

function ObjectCells({ row: { node } }: { readonly row: Extract<TreeRow, { type: 'object' }> }): VNode {
  const reason = reasonOfObject(node);
  return (
    <>
      <span role="gridcell">
        <State look="plain" tone={toneOfObject(node)} word={wordOfObject(node)} />
      </span>
      <span role="gridcell" class="reason" title={reason}>
        {reason}
      </span>
      <span role="gridcell" class="age muted">
        {node.createdAt !== undefined && <Time at={node.createdAt} />}
      </span>
    </>
  );
}
