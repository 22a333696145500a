/** The rows of the list: groups and Applications. */
import type { VNode } from 'preact';
import type { ListRow } from '../logic/list-rows.ts';
import { readRevision } from '../logic/revision.ts';
import { count, isFull, remedyOf, sentenceOf, severityOf, stateWordOf, syncOf, type Listed } from '../logic/words.ts';
import { State } from '../parts/state.tsx';
import { Time } from '../parts/time.tsx';
import type { RowProps } from '../parts/virtual-rows.tsx';

type Group = Extract<ListRow, { type: 'group' }>;

export function GroupRow({ row, props }: { readonly row: Group; readonly props: RowProps }): VNode {
  const { tabIndex, ...place } = props;
  return (
    <div role="listitem" class="row group-row" {...place}>
      <h2 tabIndex={tabIndex} data-focus>
        {row.title}
        <span class="size">{row.size.toLocaleString('en')}</span>
      </h2>
    </div>
  );
}

export interface ApplicationRowProps {
  readonly application: Listed;
  readonly props: RowProps;
}

export function pathOf({ namespace, name }: Pick<Listed, 'namespace' | 'name'>): string {
  return `/applications/${namespace}/${name}`;
}

export function ApplicationRow({ application, props }: ApplicationRowProps): VNode {
  const { namespace, name } = application;
  const { tabIndex, ...place } = props;
  const severity = severityOf(application);
  const remedy = remedyOf(application);
  return (
    <div role="listitem" class={`row application-row tone-${severity}`} {...place}>
      <State tone={severity} word={stateWordOf(application)} />
      <span class="names">
        <a class="name" href={pathOf(application)} tabIndex={tabIndex} data-focus>
          {name}
        </a>
        <span class="namespace">{namespace}</span>
      </span>
      <span class="sentence" title={sentenceOf(application)}>
        {sentenceOf(application)}
      </span>
      {isFull(application) ? <Facts application={application} /> : <span class="facts">{syncOf(application)}</span>}
      <span class="remedy">
        {remedy && (
          <a class="button small" href={`${pathOf(application)}${remedy.query}`} tabIndex={tabIndex}>
            {remedy.label}
            <span class="visually-hidden">{` of ${name}`}</span>
          </a>
        )}
      </span>
    </div>
  );
}

function Facts({ application }: { readonly application: Extract<Listed, { severity: unknown }> }): VNode {
  const { sync, counts, revision } = application;
  const { name, digest } = readRevision(sync.revision);
  return (
    <span class="facts">
      <span>
        <code>{digest || name || (revision ?? '')}</code>
        {sync.lastSyncedAt !== undefined && <Time at={sync.lastSyncedAt} />}
      </span>
      <span>
        {sync.status}
        {counts && ` · ${count(counts.total, 'object')}`}
      </span>
    </span>
  );
}
