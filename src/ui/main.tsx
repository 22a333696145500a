/** Starts the page in the browser. */
import { render } from 'preact';
import { LocationProvider } from 'preact-iso/router';
import { App } from './app.tsx';
import { createStore, StoreContext } from './data/store.ts';
import { applyTheme, readTheme } from './data/theme.ts';
import { makeTextPrintable } from './parts/printable-text.ts';

makeTextPrintable();
applyTheme(readTheme());
const store = createStore();
void store.start();
const root = document.getElementById('app');
if (root) {
  render(
    <StoreContext.Provider value={store}>
      <LocationProvider>
        <App />
      </LocationProvider>
    </StoreContext.Provider>,
    root,
  );
}
