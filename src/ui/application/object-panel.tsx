/** The panel of one object: difference, manifests, Events, and the log of a Pod. */
import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { ApplicationDetail, ObjectDetail, ObjectView } from '../../server/api/schema.ts';
import { useStore } from '../data/store.ts';
import { useLoad } from '../data/use-load.ts';
import { keyOfApplication } from '../logic/list-rows.ts';
import { keyOf, nameOf, queryOf, type ObjectNames } from '../logic/object-key.ts';
import { reasonOfObject, toneOfObject, wordOfObject } from '../logic/words.ts';
import { Icon } from '../parts/icon.tsx';
import { Loading, Notice, Refused } from '../parts/notice.tsx';
import { State } from '../parts/state.tsx';
import { useQuery } from '../parts/use-query.ts';
import { DifferenceOf } from './difference.tsx';
import { EventsOf } from './events.tsx';
import { LogOf } from './log.tsx';
import { ManifestOf } from './manifest.tsx';

export interface ObjectPanelProps {
  readonly application: ApplicationDetail;
  readonly object: ObjectNames;
}

const TABS = ['difference', 'manifest', 'events', 'log'] as const;
type Tab = (typeof TABS)[number];

const TITLES: Readonly<Record<Tab, string>> = {
  difference: 'Difference',
  manifest: 'Manifest',
  events: 'Events',
  log: 'Log',
};

export function ObjectPanel({ application, object }: ObjectPanelProps): VNode {
  const { query, hrefWith, change } = useQuery();
  const heading = useRef<HTMLHeadingElement>(null);
  const own = application.objects.find((one) => keyOf(one) === keyOf(object));
  const tabs = TABS.filter((tab) => (tab === 'log' ? object.kind === 'Pod' : own !== undefined || tab === 'events'));
  const tab = tabs.find((one) => one === query['tab']) ?? tabs[0] ?? 'events';
  const close = (): void => {
    change({ object: undefined, tab: undefined }, true);
    const find = (selector: string): HTMLElement | null => document.querySelector(selector);
    const from = find('.tree-row.selected [data-focus]') ?? find('.rows [data-focus]');
    from?.focus();
  };
  useEffect(() => heading.current?.focus(), []);
  return (
    <aside
      class="panel"
      aria-label={nameOf(object)}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        event.stopPropagation();
        close();
      }}
    >
      <header class="panel-head">
        <h2 ref={heading} tabIndex={-1}>
          <span class="kind">{object.kind}</span>
          {object.name}
        </h2>
        <button type="button" class="quiet icon-only" aria-label="Close the panel" onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      {own && <Reason object={own} />}
      <nav class="tabs small" aria-label="Views of the object">
        {tabs.map((one) => (
          <a key={one} href={hrefWith({ tab: one })} {...(one === tab ? { 'aria-current': 'page' as const } : {})}>
            {TITLES[one]}
          </a>
        ))}
      </nav>
      <div class="panel-content">
        <PanelView tab={tab} application={application} object={object} own={own} />
      </div>
    </aside>
  );
}

function Reason({ object }: { readonly object: ObjectView }): VNode {
  const text = reasonOfObject(object);
  return (
    <div class="panel-reason">
      <State tone={toneOfObject(object)} word={wordOfObject(object)} />
      {text !== '' && <p>{text}</p>}
      {object.file !== undefined && (
        <p class="muted">
          <code>{`${object.file}${object.line === undefined ? '' : `:${object.line}`}`}</code>
        </p>
      )}
    </div>
  );
}

interface PanelViewProps extends ObjectPanelProps {
  readonly tab: Tab;
  readonly own: ObjectView | undefined;
}

function PanelView({ tab, application, object, own }: PanelViewProps): VNode {
  const key = keyOfApplication(application);
  if (tab === 'events') return <EventsOf application={key} object={object} />;
  if (tab === 'log') return <LogOf application={key} object={object} />;
  return <OwnObject tab={tab} application={key} object={object} own={own} />;
}

interface OwnObjectProps {
  readonly tab: Tab;
  readonly application: string;
  readonly object: ObjectNames;
  readonly own: ObjectView | undefined;
}

/** Reads the object for the caller, since values are shown by the caller's own right to get it. */
function OwnObject({ tab, application, object, own }: OwnObjectProps): VNode {
  const store = useStore();
  const { data, refusal } = useLoad<ObjectDetail>(
    own && `/applications/${application}/object?${queryOf(object)}`,
    (onChange) => store.watch(application, onChange),
  );
  if (!own) return <Notice title="It is no object of the Application any more" tone="warning" />;
  if (refusal && !data) return <Refused refusal={refusal} />;
  if (!data) return <Loading what="the object" />;
  return tab === 'manifest' ? <ManifestOf object={data} /> : <DifferenceOf object={data} />;
}
