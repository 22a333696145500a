/** Signing in, by a token or by the identity provider, as far as the agent offers it. */
import type { VNode } from 'preact';
import { useLocation } from 'preact-iso/router';
import { useId, useState } from 'preact/hooks';
import { API, refusalIn } from './data/http.ts';
import { useStore } from './data/store.ts';

export function SignIn(): VNode {
  const { session } = useStore();
  const { url, path } = useLocation();
  const view = session.view.value;
  const back = path === '/sign-in' ? '/' : url;
  return (
    <div class="view sign-in">
      <section class="card">
        <h1>Sign in</h1>
        <p class="muted">You see what your account may see in the cluster. Kubernetes decides about every right.</p>
        {view?.ways.includes('oidc') && (
          <a class="button primary" href={`${API}/session/oidc?return=${encodeURIComponent(back)}`} target="_top">
            {`Sign in with ${view.oidc?.name ?? 'your identity provider'}`}
          </a>
        )}
        {view?.signedIn && (
          <p>
            {`You are signed in as ${view.user ?? 'a user of the cluster'}. `}
            <a href="/">All Applications</a>
          </p>
        )}
        {(view?.ways.includes('token') ?? true) && <TokenForm back={back} />}
      </section>
    </div>
  );
}

function TokenForm({ back }: { readonly back: string }): VNode {
  const store = useStore();
  const { route, path } = useLocation();
  const id = useId();
  const [token, setToken] = useState('');
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const signIn = async (): Promise<void> => {
    setBusy(true);
    setProblem('');
    try {
      await store.session.signIn(token.trim());
      await store.start();
      if (path === '/sign-in') route(back, true);
    } catch (error) {
      const { status, detail } = refusalIn(error);
      setProblem(status === 401 ? 'The API server does not know this token.' : detail);
      setBusy(false);
    }
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void signIn();
      }}
    >
      <label for={id}>Token</label>
      <input
        id={id}
        type="password"
        autocomplete="off"
        required
        value={token}
        aria-describedby={`${id}-help`}
        aria-invalid={problem !== ''}
        onInput={({ currentTarget }) => setToken(currentTarget.value)}
      />
      <p id={`${id}-help`} class="muted">
        {'A token of the cluster, such as '}
        <code>kubectl create token NAME</code>
        {' prints it. It stays in a cookie that scripts cannot read.'}
      </p>
      <p role="alert" class="problem-text">
        {problem}
      </p>
      <button type="submit" class="primary" disabled={isBusy || token.trim() === ''}>
        {isBusy ? 'Signing in…' : 'Sign in'}
      </button>
    </form>
  );
}
