/** All Applications: problems first, each with the sentence that says why. */
import type { VNode } from 'preact';
import { useComputed } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { useLocation } from 'preact-iso/router';
import { useStore } from '../data/store.ts';
import { countBySeverity, isFiltering, labelKeysOf, readFilter } from '../logic/filter.ts';
import { listRows } from '../logic/list-rows.ts';
import { Loading, Notice, Refused } from '../parts/notice.tsx';
import { VirtualRows } from '../parts/virtual-rows.tsx';
import { Filters } from './filters.tsx';
import { ApplicationRow, GroupRow } from './rows.tsx';

const ROW_HEIGHTS = [60, 92] as const;

export function ListPage(): VNode {
  const { applications, refusal, unreviewed } = useStore();
  const { url, query } = useLocation();
  const filter = useMemo(() => readFilter(query), [url]);
  const all = useComputed(() => [...(applications.value?.values() ?? [])]).value;
  const rows = useMemo(() => listRows(all, filter), [all, filter]);
  const counts = useMemo(() => countBySeverity(all), [all]);
  const labels = useMemo(() => labelKeysOf(all), [all]);
  const shown = rows.reduce((sum, row) => sum + (row.type === 'group' ? row.size : 0), 0);
  useEffect(() => {
    const problems = counts.error + counts.warning;
    document.title = problems > 0 ? `(${problems}) Applications · Tautline` : 'Applications · Tautline';
  }, [counts]);
  const isRead = applications.value !== undefined;
  return (
    <div class="view">
      <h1>Applications</h1>
      {!isRead && !refusal.value && <Loading what="the Applications" />}
      {!isRead && refusal.value && <Refused refusal={refusal.value} />}
      {isRead && (
        <>
          <Filters filter={filter} applications={all} counts={counts} labels={labels} shown={shown} />
          {unreviewed.value > 0 && (
            <Notice title={`${unreviewed.value} namespaces are not shown`} tone="warning">
              <p>You may list Applications in single namespaces only, and there are too many of these.</p>
            </Notice>
          )}
          {all.length === 0 && <NoApplications />}
          {all.length > 0 && rows.length === 0 && <NoMatch isFiltering={isFiltering(filter)} />}
          <VirtualRows
            rows={rows}
            heights={ROW_HEIGHTS}
            keyOf={({ key }) => key}
            container={{ role: 'list', 'aria-label': 'Applications' }}
            render={(row, props) =>
              row.type === 'group' ? (
                <GroupRow key={row.key} row={row} props={props} />
              ) : (
                <ApplicationRow key={row.key} application={row.application} props={props} />
              )
            }
          />
        </>
      )}
    </div>
  );
}

function NoMatch({ isFiltering: isFiltered }: { readonly isFiltering: boolean }): VNode {
  return (
    <Notice title="No Application matches">
      {isFiltered && (
        <p>
          <a href="/">Show all Applications</a>
        </p>
      )}
    </Notice>
  );
}

const FIRST_APPLICATION = `kubectl create namespace shop
kubectl apply -f shop.yaml
tautline wait shop -n shop`;

function NoApplications(): VNode {
  return (
    <Notice title="There is no Application yet">
      <p>Declare one, or ask for the right to list Applications in a namespace:</p>
      <pre class="code">{FIRST_APPLICATION}</pre>
    </Notice>
  );
}
