/** The transport of the agent and the command line: each request goes the way that its repository's address names. */
import type { DispatchersOptions } from './dispatchers.ts';
import { createHttpTransport } from './http-transport.ts';
import { createKnownHostsFile } from './ssh/known-hosts-file.ts';
import { createSshTransport } from './ssh/ssh-transport.ts';
import type { Transport } from './transport.ts';

export interface OpenTransportOptions extends DispatchersOptions {
  /** Path; empty: none. */
  readonly knownHostsFile: string;
}

export function openTransport({ knownHostsFile, ...options }: OpenTransportOptions): Transport {
  const http = createHttpTransport(options);
  const ssh = createSshTransport({ ...options, knownHosts: createKnownHostsFile(knownHostsFile) });
  return {
    send: (request) => (request.repository.ssh ? ssh : http).send(request),
    authenticateLfs: (request) => ssh.authenticateLfs(request),
    async close() {
      await Promise.all([http.close(), ssh.close()]);
    },
  };
}
