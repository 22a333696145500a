/**
 * A transport that shows the tokens of GitHub Apps. A token is asked for when a request is about to be sent, so that
 * nothing is asked for what is on disk.
 */
import { StageError } from '../object/stage-error.ts';
import type { AppTokens } from './app-tokens.ts';
import { gitHubRepositoryOf } from './github-app.ts';
import type { Transport, TransportAnswer, TransportRequest } from './transport/transport.ts';

/** `transport` is closed with it. */
export function withAppTokens(transport: Transport, tokens: AppTokens): Transport {
  async function sendWithToken(request: TransportRequest, isRepeated: boolean): Promise<TransportAnswer> {
    const { repository } = request;
    const { credential, base, key } = repository;
    const app = credential?.app;
    if (!app) return transport.send(request);
    const named = gitHubRepositoryOf({ app, secret: credential.secret, repoUrl: base, isArtifact: false });
    const signal = request.signal ?? new AbortController().signal;
    const shown = await tokens.show({ credential: { ...credential, app }, repository: named, key, signal });
    try {
      return await transport.send({ ...request, repository: { ...repository, credential: shown.credential } });
    } catch (error) {
      const isRefused = error instanceof StageError && error.code === 'CredentialsRefused';
      if (!isRefused) throw error;
      tokens.forget(key);
      // A token ends early if the key or the installation of the app is replaced.
      if (shown.isNew || isRepeated) throw error;
      return sendWithToken(request, true);
    }
  }

  return {
    // An app has no key for ssh.
    ...transport,
    send: (request) => sendWithToken(request, false),
    async close() {
      tokens.close();
      await transport.close();
    },
  };
}
