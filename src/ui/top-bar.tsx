/** The bar at the top: the way home, whether the page is live, the theme, and who is signed in. */
import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { useStore } from './data/store.ts';
import type { Connection } from './data/stream.ts';
import { applyTheme, readTheme, THEMES, type Theme } from './data/theme.ts';

export function TopBar({ onHelp }: { readonly onHelp: () => void }): VNode {
  return (
    <header class="top-bar">
      <a class="brand" href="/">
        <svg class="logo" viewBox="0 0 32 32" aria-hidden="true">
          <path d="M4 10h24M16 10v16" />
          <circle cx="7" cy="10" r="3.4" />
          <circle cx="25" cy="10" r="3.4" />
        </svg>
        <span>Tautline</span>
      </a>
      <Live />
      <span class="stretch" />
      <ThemeChoice />
      <button type="button" class="quiet" onClick={onHelp} aria-label="Keys" title="Keys (?)">
        <kbd>?</kbd>
      </button>
      <Person />
    </header>
  );
}

const CONNECTION_WORDS: Readonly<Record<Connection, string>> = {
  connecting: 'Connecting',
  live: 'Live',
  offline: 'Offline',
};

function Live(): VNode {
  const { connection, session } = useStore();
  const isAnonymous = session.view.value?.signedIn === false;
  const word = isAnonymous ? 'Not live' : CONNECTION_WORDS[connection.value];
  return (
    <span class={`live live-${isAnonymous ? 'connecting' : connection.value}`}>
      <span class="dot" aria-hidden="true" />
      {word}
    </span>
  );
}

const THEME_WORDS: Readonly<Record<Theme, string>> = { system: 'System', light: 'Light', dark: 'Dark' };

function ThemeChoice(): VNode {
  const [theme, setTheme] = useState(readTheme);
  const choose = (chosen: string): void => {
    const next = THEMES.find((one) => one === chosen) ?? 'system';
    setTheme(next);
    applyTheme(next);
  };
  return (
    <label class="theme">
      <span class="visually-hidden">Theme</span>
      <select value={theme} onChange={({ currentTarget }) => choose(currentTarget.value)}>
        {THEMES.map((one) => (
          <option key={one} value={one}>
            {THEME_WORDS[one]}
          </option>
        ))}
      </select>
    </label>
  );
}

function Person(): VNode | null {
  const store = useStore();
  const view = store.session.view.value;
  if (!view) return null;
  if (!view.signedIn) {
    return (
      <a class="button" href="/sign-in">
        Sign in
      </a>
    );
  }
  const signOut = (): void => void store.session.signOut().then(store.start, store.start);
  return (
    <span class="person">
      <span class="user" title={(view.groups ?? []).join(', ')}>
        {view.user ?? 'signed in'}
      </span>
      {!view.ways.includes('kubeconfig') && (
        <button type="button" class="quiet" onClick={signOut}>
          Sign out
        </button>
      )}
    </span>
  );
}
