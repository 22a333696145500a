/** The objects of an Application, as a tree down to Pods or as a table. */
import type { VNode } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import type { ApplicationDetail, TreeNode } from '../../server/api/schema.ts';
import { useStore } from '../data/store.ts';
import { useLoad } from '../data/use-load.ts';
import { keyOfApplication } from '../logic/list-rows.ts';
import { FOLD_ABOVE, treeRows, type Node } from '../logic/tree-rows.ts';
import { count, isUnwell } from '../logic/words.ts';
import { Icon } from '../parts/icon.tsx';
import { Loading, Notice, Refused } from '../parts/notice.tsx';
import { useQuery } from '../parts/use-query.ts';
import { ObjectRows } from './object-rows.tsx';

interface TreeAnswer {
  readonly nodes: readonly TreeNode[];
  readonly notes: readonly string[];
}

export function ObjectsView({ detail }: { readonly detail: ApplicationDetail }): VNode {
  const { query } = useQuery();
  const store = useStore();
  const key = keyOfApplication(detail);
  const isTable = query['as'] === 'table';
  const tree = useLoad<TreeAnswer>(isTable ? undefined : `/applications/${key}/tree`, (onChange) =>
    store.watch(key, onChange),
  );
  // The objects of the Application are known at once; what they own comes with the tree.
  const nodes: readonly Node[] = tree.data?.nodes ?? detail.objects;
  const isOnlyUnwell = (query['show'] ?? defaultShow(nodes)) === 'unwell';
  const search = query['find'] ?? '';
  const [toggled, setToggled] = useState<ReadonlySet<string>>(new Set());
  const rows = useMemo(
    () => treeRows(nodes, { toggled, isOnlyUnwell, search }),
    [nodes, toggled, isOnlyUnwell, search],
  );
  const toggle = (row: string): void => {
    setToggled((last) => {
      const next = new Set(last);
      if (!next.delete(row)) next.add(row);
      return next;
    });
  };
  if (!detail.isObserved) return <Loading what="the objects: the agent has just started" />;
  return (
    <>
      <ObjectFilters nodes={nodes} isTable={isTable} isOnlyUnwell={isOnlyUnwell} search={search} />
      {(tree.data?.notes ?? []).length > 0 && (
        <details class="notes">
          <summary>{`${count(tree.data?.notes.length ?? 0, 'note')} on what is not shown`}</summary>
          <ul>
            {tree.data?.notes.map((note) => (
              <li key={note}>{note}</li>
            ))}
          </ul>
        </details>
      )}
      {tree.refusal && !tree.data && <Refused refusal={tree.refusal} />}
      {rows.length === 0 && <NoObject isOnlyUnwell={isOnlyUnwell} total={nodes.length} search={search} />}
      {rows.length > 0 && <ObjectRows rows={rows} onToggle={toggle} />}
    </>
  );
}

/** A large Application begins with what is not well, if anything is not. */
function defaultShow(nodes: readonly Node[]): 'all' | 'unwell' {
  return nodes.length > FOLD_ABOVE && nodes.some(isUnwell) ? 'unwell' : 'all';
}

interface ObjectFiltersProps {
  readonly nodes: readonly Node[];
  readonly isTable: boolean;
  readonly isOnlyUnwell: boolean;
  readonly search: string;
}

function ObjectFilters({ nodes, isTable, isOnlyUnwell, search }: ObjectFiltersProps): VNode {
  const { change } = useQuery();
  const unwell = nodes.filter(isUnwell).length;
  return (
    <div class="object-filters">
      <div class="segments" role="group" aria-label="Form">
        <button type="button" aria-pressed={!isTable} onClick={() => change({ as: undefined }, true)}>
          Tree
        </button>
        <button type="button" aria-pressed={isTable} onClick={() => change({ as: 'table' }, true)}>
          Table
        </button>
      </div>
      <div class="segments" role="group" aria-label="Objects to show">
        <button type="button" aria-pressed={isOnlyUnwell} onClick={() => change({ show: 'unwell' }, true)}>
          {`Not well ${unwell.toLocaleString('en')}`}
        </button>
        <button type="button" aria-pressed={!isOnlyUnwell} onClick={() => change({ show: 'all' }, true)}>
          {`All ${nodes.length.toLocaleString('en')}`}
        </button>
      </div>
      <label class="search small">
        <Icon name="search" />
        <span class="visually-hidden">Find objects</span>
        <input
          type="search"
          placeholder="Kind or name"
          value={search}
          onInput={({ currentTarget }) => change({ find: currentTarget.value }, true)}
        />
      </label>
    </div>
  );
}

function NoObject({
  isOnlyUnwell,
  total,
  search,
}: Pick<ObjectFiltersProps, 'isOnlyUnwell' | 'search'> & { total: number }): VNode {
  if (total === 0) {
    return (
      <Notice title="The Application has no object">
        <p>The revision renders no manifest, or the first sync has not ended yet.</p>
      </Notice>
    );
  }
  if (search !== '') return <Notice title="No object matches" />;
  return <Notice title={isOnlyUnwell ? 'All objects are well' : 'No object'} tone="ok" />;
}
