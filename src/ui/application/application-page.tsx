/** One Application: what is wrong and why, since which commit, its objects, and what a person can do. */
import type { VNode } from 'preact';
import { useRoute } from 'preact-iso/router';
import { useEffect } from 'preact/hooks';
import type { ApplicationDetail } from '../../server/api/schema.ts';
import { useStore } from '../data/store.ts';
import { useLoad } from '../data/use-load.ts';
import { keyOfApplication } from '../logic/list-rows.ts';
import { readKey } from '../logic/object-key.ts';
import { stateWordOf } from '../logic/words.ts';
import { Loading, Notice, Refused } from '../parts/notice.tsx';
import { useShortcuts } from '../parts/shortcuts.ts';
import { useQuery } from '../parts/use-query.ts';
import { ActionDialogs } from '../actions/action-dialogs.tsx';
import { Banners } from './banners.tsx';
import { ConditionsView } from './conditions-view.tsx';
import { DifferencesView } from './differences-view.tsx';
import { Header } from './header.tsx';
import { HistoryView } from './history-view.tsx';
import { ObjectPanel } from './object-panel.tsx';
import { ObjectsView } from './objects-view.tsx';
import { ProblemsView } from './problems-view.tsx';
import { useActions } from './use-actions.ts';

export function ApplicationPage(): VNode {
  const { namespace = '', name = '' } = useRoute().params;
  const store = useStore();
  const key = keyOfApplication({ namespace, name });
  const loaded = useLoad<ApplicationDetail>(`/applications/${key}`, (onChange) => store.watch(key, onChange));
  const { data, refusal } = loaded;
  useEffect(() => {
    document.title = `${data ? `${stateWordOf(data)}: ` : ''}${name} · Tautline`;
  }, [name, data]);
  return (
    <div class="view" key={key}>
      <nav class="crumbs" aria-label="You are here">
        <a href="/">Applications</a>
        <a href={`/?namespace=${namespace}`}>{namespace}</a>
        <span aria-current="page">{name}</span>
      </nav>
      {data && <Application detail={data} reload={loaded.reload} />}
      {!data && <h1>{name}</h1>}
      {!data && !refusal && <Loading what="the Application" />}
      {!data && refusal?.status === 404 && <Gone name={name} />}
      {!data && refusal && refusal.status !== 404 && <Refused refusal={refusal} />}
    </div>
  );
}

function Gone({ name }: { readonly name: string }): VNode {
  return (
    <Notice title={`There is no Application ${name}`} tone="warning">
      <p>It was deleted, or it never existed, or you may not see it.</p>
      <p>
        <a href="/">All Applications</a>
      </p>
    </Notice>
  );
}

const VIEWS = ['objects', 'differences', 'problems', 'history', 'conditions'] as const;
type ViewName = (typeof VIEWS)[number];

const TITLES: Readonly<Record<ViewName, string>> = {
  objects: 'Objects',
  differences: 'Differences',
  problems: 'Problems',
  history: 'History',
  conditions: 'Conditions',
};

interface Shown {
  readonly detail: ApplicationDetail;
  readonly reload: () => void;
}

function Application({ detail, reload }: Shown): VNode {
  const { query, change } = useQuery();
  const view = VIEWS.find((one) => one === query['view']) ?? 'objects';
  const actions = useActions(detail, reload);
  const goTo = (next: ViewName): void => change({ view: next === 'objects' ? undefined : next });
  useShortcuts({
    o: () => goTo('objects'),
    d: () => goTo('differences'),
    h: () => goTo('history'),
    s: () => change({ do: 'sync' }),
    r: () => void actions.run('refresh', {}),
  });
  const object = readKey(query['object'] ?? '');
  return (
    <>
      <Header detail={detail} actions={actions} />
      <Banners detail={detail} actions={actions} />
      <Tabs detail={detail} view={view} />
      <div class={object ? 'with-panel' : ''}>
        <section class="tab-content" aria-label={TITLES[view]}>
          <View view={view} detail={detail} />
        </section>
        {object && <ObjectPanel key={query['object']} application={detail} object={object} />}
      </div>
      <ActionDialogs detail={detail} actions={actions} />
    </>
  );
}

function View({ view, detail }: { readonly view: ViewName; readonly detail: ApplicationDetail }): VNode {
  if (view === 'differences') return <DifferencesView detail={detail} />;
  if (view === 'problems') return <ProblemsView detail={detail} />;
  if (view === 'history') return <HistoryView detail={detail} />;
  if (view === 'conditions') return <ConditionsView detail={detail} />;
  return <ObjectsView detail={detail} />;
}

function Tabs({ detail, view }: { readonly detail: ApplicationDetail; readonly view: ViewName }): VNode {
  const { hrefWith } = useQuery();
  const sizes: Readonly<Record<ViewName, number | undefined>> = {
    objects: detail.objects.length,
    differences: detail.objects.filter(({ sync }) => sync === 'OutOfSync').length,
    problems: detail.problems.length,
    history: undefined,
    conditions: detail.warnings.length > 0 ? detail.warnings.length : undefined,
  };
  return (
    <nav class="tabs" aria-label="Views of the Application">
      {VIEWS.map((one) => (
        <a
          key={one}
          href={hrefWith({ view: one === 'objects' ? undefined : one })}
          {...(one === view ? { 'aria-current': 'page' as const } : {})}
        >
          {TITLES[one]}
          {sizes[one] !== undefined && <span class="size">{sizes[one].toLocaleString('en')}</span>}
        </a>
      ))}
    </nav>
  );
}
