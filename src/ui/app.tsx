/** The frame of the page: the bar at the top, and below it the view that the address names. */
import type { VNode } from 'preact';
import { Router, Route, useLocation } from 'preact-iso/router';
import { useState } from 'preact/hooks';
import { ApplicationPage } from './application/application-page.tsx';
import { useStore } from './data/store.ts';
import { KeysDialog } from './keys-dialog.tsx';
import { ListPage } from './list/list-page.tsx';
import { Notice } from './parts/notice.tsx';
import { useShortcuts } from './parts/shortcuts.ts';
import { SignIn } from './sign-in.tsx';
import { TopBar } from './top-bar.tsx';

export function App(): VNode {
  const [isHelpOpen, setHelpOpen] = useState(false);
  const { route } = useLocation();
  useShortcuts({ '?': () => setHelpOpen(true), u: () => route('/') });
  return (
    <>
      <a class="skip" href="#content">
        Skip to the content
      </a>
      <TopBar onHelp={() => setHelpOpen(true)} />
      <OfflineBar />
      <main id="content" tabIndex={-1}>
        <Views />
      </main>
      {isHelpOpen && <KeysDialog onClose={() => setHelpOpen(false)} />}
    </>
  );
}

function Views(): VNode {
  const { session, refusal, applications } = useStore();
  const isSignedOut = session.view.value?.signedIn === false && refusal.value?.status === 401;
  if (isSignedOut && applications.value === undefined) return <SignIn />;
  return (
    <Router>
      <Route path="/" component={ListPage} />
      <Route path="/applications/:namespace/:name" component={ApplicationPage} />
      <Route path="/sign-in" component={SignIn} />
      <Route default component={NoView} />
    </Router>
  );
}

function NoView(): VNode {
  return (
    <div class="view">
      <h1 class="visually-hidden">Not found</h1>
      <Notice title="This page does not exist" tone="warning">
        <p>
          <a href="/">All Applications</a>
        </p>
      </Notice>
    </div>
  );
}

/** Says that what is seen may be old. */
function OfflineBar(): VNode {
  const { connection, session } = useStore();
  const isOffline = connection.value === 'offline' || session.view.value === undefined;
  return (
    <div role="status" class={isOffline && connection.value === 'offline' ? 'offline-bar' : 'visually-hidden'}>
      {connection.value === 'offline' && 'Offline: the agent does not answer. You see the last known state.'}
    </div>
  );
}
