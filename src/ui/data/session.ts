/** The session tells who is signed in, and how a person can sign in. */
import { signal, type ReadonlySignal } from '@preact/signals';
import { getJson, postJson, refusalIn, sendDelete } from './http.ts';

export interface SessionView {
  readonly signedIn: boolean;
  readonly user?: string;
  readonly groups?: readonly string[];
  readonly expiresAt?: string;
  /** `kubeconfig`: the page runs with the rights of a kubeconfig; there is no sign-in and no sign-out. */
  readonly ways: readonly ('token' | 'oidc' | 'kubeconfig')[];
  readonly oidc?: { readonly name: string };
}

export interface Session {
  /** undefined: not read yet. */
  readonly view: ReadonlySignal<SessionView | undefined>;
  /** Reads it again. Where the agent does not answer, the last view stays. */
  read(): Promise<void>;
  /** Throws RequestError. */
  signIn(token: string): Promise<void>;
  signOut(): Promise<void>;
}

const SIGNED_OUT: SessionView = { signedIn: false, ways: ['token'] };

export function createSession(): Session {
  const view = signal<SessionView | undefined>(undefined);
  const read = async (): Promise<void> => {
    try {
      view.value = await getJson<SessionView>('/session');
    } catch (error) {
      if (refusalIn(error).status !== 0) view.value = SIGNED_OUT;
    }
  };
  return {
    view,
    read,
    async signIn(token) {
      await postJson('/session', { token });
      await read();
    },
    async signOut() {
      await sendDelete('/session');
      await read();
    },
  };
}
