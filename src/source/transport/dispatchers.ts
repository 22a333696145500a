/**
 * Connections to Git servers: one pool for each route (direct, or through a proxy) and each set of certificates.
 *
 * Invariants: requests share a connection only if they trust the same authorities and show the same certificate. A pool
 * that is not used for a while is closed, so certificates that have left their Secret go out of use soon.
 */
import { createHash } from 'node:crypto';
import type { LookupFunction } from 'node:net';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import { Agent, ProxyAgent, type Dispatcher } from 'undici';
import type { Clock } from '../../telemetry/ports.ts';
import type { Credential } from '../credential.ts';
import type { SourceLimits } from '../limits.ts';
import type { Repository } from '../repository.ts';
import { createAddressGuard, type AddressRules } from './address-rules.ts';
import { proxyFor, type ProxySettings } from './proxy.ts';

export interface Dispatchers {
  /** Throws StageError InvalidProxy or AddressDenied. */
  dispatcherFor(url: string, repository: Pick<Repository, 'credential' | 'label'>): Dispatcher;
  /** Breaks off the requests under way. */
  close(): Promise<void>;
}

export interface DispatchersOptions {
  readonly limits: SourceLimits;
  readonly proxy: ProxySettings;
  readonly addresses: AddressRules;
  readonly clock: Clock;
}

interface Pool {
  readonly dispatcher: Dispatcher;
  readonly usedMs: number;
}

export function createDispatchers({ limits, proxy, addresses, clock }: DispatchersOptions): Dispatchers {
  const guard = createAddressGuard(addresses);
  /** In order of use, the latest last. */
  const pools = new Map<string, Pool>();

  /** Requests under way are not broken off. */
  function closeUnused(): void {
    for (const [key, { dispatcher, usedMs }] of pools) {
      const isOld = clock.monotonicMs() - usedMs > limits.keepPoolMs;
      if (!isOld && pools.size <= limits.maxPools) return;
      pools.delete(key);
      void dispatcher.close().catch(() => undefined);
    }
  }

  return {
    dispatcherFor(url, { credential, label }) {
      const proxyUrl = proxyFor(new URL(url), proxy);
      const checked = guard.check(url, label, proxyUrl !== undefined);
      const lookup = guard.lookupFor(checked);
      const key = `${proxyUrl ?? 'direct'} ${checked} ${certificatesKey(credential)}`;
      const dispatcher = pools.get(key)?.dispatcher ?? open({ proxyUrl, credential, limits, lookup });
      pools.delete(key);
      pools.set(key, { dispatcher, usedMs: clock.monotonicMs() });
      closeUnused();
      return dispatcher;
    },
    async close() {
      await Promise.all([...pools.values()].map(({ dispatcher }) => dispatcher.destroy()));
      pools.clear();
    },
  };
}

interface PoolOptions {
  readonly proxyUrl: string | undefined;
  readonly credential: Credential | undefined;
  readonly limits: SourceLimits;
  readonly lookup: LookupFunction;
}

/** The timers of undici are exact to about a second. */
function open({ proxyUrl, credential, limits, lookup }: PoolOptions): Dispatcher {
  const options = {
    // undici 8 speaks HTTP/2 by default and then hangs when a server closes the connection gracefully.
    allowH2: false,
    connections: limits.maxConnectionsPerOrigin,
    headersTimeout: limits.headersTimeoutMs,
    bodyTimeout: limits.idleTimeoutMs,
  };
  const connect = { timeout: limits.connectTimeoutMs, secureContext: secureContextOf(credential) };
  if (proxyUrl === undefined) return new Agent({ ...options, connect: { ...connect, lookup } });
  return new ProxyAgent({ ...options, uri: proxyUrl, connectTimeout: limits.connectTimeoutMs, requestTls: connect });
}

/** undefined: the defaults of Node. */
function secureContextOf(credential: Credential | undefined): SecureContext | undefined {
  if (!credential?.ca && !credential?.clientCertificate) return undefined;
  const { ca, clientCertificate } = credential;
  return createSecureContext({
    ca: [...getCACertificates('default'), ...(ca ? [ca] : [])],
    ...(clientCertificate && { cert: clientCertificate.certificate, key: clientCertificate.key }),
  });
}

function certificatesKey(credential: Credential | undefined): string {
  const { ca, clientCertificate } = credential ?? {};
  if (!ca && !clientCertificate) return 'system';
  const content = JSON.stringify([ca, clientCertificate?.certificate, clientCertificate?.key]);
  return createHash('sha256').update(content).digest('hex');
}
