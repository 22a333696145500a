/** A source over a small registry and a real sandbox, in a folder of its own that goes when the test ends. */
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { defaultRegistryLimits, type RegistryLimits } from '../../../src/registry/limits.ts';
import type { RegistrySettings } from '../../../src/source/artifact-origin.ts';
import { parseCredential, type Credential } from '../../../src/source/credential.ts';
import { defaultSourceLimits } from '../../../src/source/limits.ts';
import { openPackTree } from '../../../src/source/packs/pack-tree.ts';
import type { SourcePlace } from '../../../src/source/ports.ts';
import type { Snapshot, SnapshotTree } from '../../../src/source/snapshot.ts';
import { createSource, type Source } from '../../../src/source/source.ts';
import type { AddressRules } from '../../../src/source/transport/address-rules.ts';
import { createHttpTransport } from '../../../src/source/transport/http-transport.ts';
import { createWebClient } from '../../../src/source/transport/web-client.ts';
import { startRegistry, type RegistryServer } from '../../support/registry-server.ts';
import { noProxy, quietLog, startSandbox, temporaryFolder } from './source-harness.ts';

export interface ArtifactHarness {
  readonly registry: RegistryServer;
  readonly source: Source;
  readonly dataDir: string;
  /** `oci://127.0.0.1:port`. */
  readonly oci: string;
  /** Opens another source over the same folder, as after a restart. */
  readonly reopen: (limits?: Partial<RegistryLimits>) => Source;
}

export interface ArtifactHarnessOptions {
  readonly limits?: Partial<RegistryLimits>;
  readonly settings?: Partial<RegistrySettings>;
  readonly addresses?: AddressRules;
}

export async function startArtifacts(
  t: TestContext,
  { limits = {}, settings = {}, addresses = { allow: [], deny: [] } }: ArtifactHarnessOptions = {},
): Promise<ArtifactHarness> {
  const dir = await temporaryFolder(t);
  const dataDir = join(dir, 'data');
  const registry = await startRegistry();
  t.after(() => registry.stop());
  const sandbox = startSandbox(t, { readableDirs: [dataDir] });
  const clock = { now: () => Date.now(), monotonicMs: () => performance.now() };
  const network = { limits: defaultSourceLimits, proxy: noProxy, addresses, clock };
  const reopen = (changed: Partial<RegistryLimits> = limits): Source => {
    const all = { ...defaultRegistryLimits, ...changed };
    const source = createSource({
      dataDir,
      limits: defaultSourceLimits,
      registry: { tokenHosts: [], plainHttpHosts: [], ...settings, limits: all },
      sandbox,
      transport: createHttpTransport(network),
      web: createWebClient(network),
      log: quietLog,
      clock,
    });
    t.after(() => source.close());
    return source;
  };
  return { registry, source: reopen(), dataDir, oci: `oci://${registry.host}`, reopen };
}

/** Polls and fetches. */
export async function bring(source: Source, place: SourcePlace, revision?: string): Promise<Snapshot> {
  const resolved = await source.poll({ ...place, revision });
  return source.fetch({ ...place, resolved });
}

/** The text of a file. */
export function readText({ gitDir, treeOid }: SnapshotTree, path: string): string {
  const { maxObjectBytes, maxDeltaDepth, cacheBytes } = defaultSourceLimits;
  const limits = { maxObjectBytes, maxDeltaDepth, cacheBytes, maxFileBytes: maxObjectBytes };
  const tree = openPackTree({ gitDir, treeOid }, limits);
  try {
    return Buffer.from(tree.read(path)).toString('utf8');
  } finally {
    tree.close();
  }
}

export function secretOf(data: Readonly<Record<string, string>>): Credential {
  const bytes = Object.entries(data).map(([key, value]) => [key, Buffer.from(value)] as const);
  return parseCredential({ secret: 'team/registry', data: new Map(bytes) });
}
