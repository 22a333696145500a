/** The edges that reading desired objects needs, scripted for unit tests: source, render, Secrets and discovery. */
import { parseAddressRules } from '../../src/application/address-rule.ts';
import type { KindInfo, Kinds } from '../../src/cluster/kinds.ts';
import { kindKey } from '../../src/cluster/kinds.ts';
import type { ClusterCapabilities, CredentialSecrets, SecretAnswer } from '../../src/cluster/ports.ts';
import { digestValue } from '../../src/object/digest.ts';
import { apiVersionOf, type ObjectId } from '../../src/object/identity.ts';
import type { KubeObject } from '../../src/object/value.ts';
import type { ReadingOptions } from '../../src/reconcile/pass.ts';
import type { RenderedSizes } from '../../src/reconcile/neighbours/rendered-sizes.ts';
import type { Manifest, Manifests } from '../../src/render/manifests.ts';
import type { Answer } from '../../src/render/needs.ts';
import type { CollectedFiles } from '../../src/render/helm/chart-files.ts';
import type { SopsCall } from '../../src/sops/sops.ts';
import type { PolledRevision } from '../../src/source/ports.ts';
import type { Snapshot } from '../../src/source/snapshot.ts';
import { createClock } from './clock.ts';
import { kindOf } from './changes.ts';

/** Discovery that serves the kinds of these objects and no others. */
export function kindsOf(...ids: readonly ObjectId[]): Kinds {
  const infos = ids.map((id): KindInfo => kindOf(id));
  return {
    served: new Map(infos.map((info) => [kindKey(apiVersionOf(info.group, info.version), info.kind), info])),
    stale: new Set(),
    preferred: new Map(infos.map(({ group, version }) => [group, version])),
  };
}

/** A manifest of an object without content; its namespace is that of the id. */
export function manifestOf({ group, kind, namespace, name }: ObjectId, more: Partial<KubeObject> = {}): Manifest {
  const metadata = { name, ...(namespace && { namespace }) };
  const object = { apiVersion: apiVersionOf(group, 'v1'), kind, metadata, ...more };
  return { object, digest: digestValue(object), file: `${name}.yaml`, line: 1 };
}

export function manifestsOf(manifests: readonly Manifest[], more: Partial<Manifests> = {}): Manifests {
  return { manifests, problems: [], warnings: [], needs: [], readSet: {}, ...more };
}

/** A namespace without Secrets for the addresses of repositories. */
export const NO_LABELLED_SECRETS: CredentialSecrets = {
  list: () => Promise.resolve({ ok: true, secrets: [] }),
  doubt: () => undefined,
};

const NEVER_POLLED: PolledRevision = { id: 'none', commit: '0'.repeat(40), revision: `sha1:${'0'.repeat(40)}` };

type RenderRequest = Parameters<ReadingOptions['context']['render']['render']>[0];

export interface ReadingScript {
  /** Whether changes of ConfigMaps and Secrets are told. Default: false. */
  readonly isDataWatched?: boolean;
  /** The answer to a poll of a repository. */
  readonly poll?: (repoUrl: string) => PolledRevision;
  /** Default: a render without objects. */
  readonly render?: (request: RenderRequest) => Manifests;
  /** The answers of discovery, first the cached one, then one for each refresh; the last one stays. */
  readonly discoveries?: readonly Kinds[];
  /** Default: a chart without files. */
  readonly chartFiles?: CollectedFiles;
  /** The answer of helm. Default: an empty text. */
  readonly helm?: () => Extract<Answer, { readonly type: 'text' | 'refused' }>;
  readonly sops?: (
    sealed: SopsCall['sealed'],
    keys: SopsCall['keys'],
  ) => Extract<Answer, { readonly type: 'opened' | 'refused' }>;
  readonly capabilities?: () => ClusterCapabilities;
  /** Whether the snapshot is still on disk. Default: true. */
  readonly isOnDisk?: boolean;
  readonly secret?: SecretAnswer;
  readonly configMap?: () => SecretAnswer;
  /** Default: false, an Application stays in its namespace. */
  readonly allowCrossNamespace?: boolean;
  /** The sizes of the renders of other Applications. Default: none. */
  readonly renderedSizes?: RenderedSizes;
}

const CAPABILITIES: ClusterCapabilities = { kubeVersion: 'v1.36.3', apiVersions: ['v1'], digest: 'one' };

export interface ScriptedReading {
  readonly context: ReadingOptions['context'];
  readonly clock: ReturnType<typeof createClock>;
  /** The requests to the edges, in order: `find`, `fetch`, `discard`, `render PATH`, `refresh`, `secret NAME`. */
  readonly requests: string[];
}

/** Discovery is asked again after 1,000 ms, and after 100 ms for a kind that a CRD of the render defines. */
export function scriptReading(script: ReadingScript = {}): ScriptedReading {
  const { render = () => manifestsOf([]), discoveries = [kindsOf()], isOnDisk = true, secret, configMap } = script;
  const requests: string[] = [];
  const clock = createClock();
  let found = 0;
  const noted = <T>(request: string, answer: T): Promise<T> => {
    requests.push(request);
    return Promise.resolve(answer);
  };
  return {
    clock,
    requests,
    context: {
      clock,
      chance: () => 0.5,
      metrics: { onGitRequest: () => undefined },
      hub: {
        hubId: 'hub',
        data: { isWatched: () => script.isDataWatched === true },
        credentialSecrets: NO_LABELLED_SECRETS,
        as: () => ({
          readSecret: (_namespace, name) => noted(`secret ${name}`, secret ?? { ok: true, data: undefined }),
          readConfigMap: (_namespace, name) =>
            noted(`configmap ${name}`, configMap?.() ?? { ok: true, data: undefined }),
        }),
      },
      cluster: {
        kinds: (options) => {
          if (options?.refresh) requests.push('refresh');
          if (options?.refresh && found < discoveries.length - 1) found++;
          return Promise.resolve(discoveries[found] ?? kindsOf());
        },
        capabilities: () => Promise.resolve(script.capabilities?.() ?? CAPABILITIES),
      },
      source: {
        find: (snapshot) => noted('find', isOnDisk ? snapshot : undefined),
        fetch: ({ resolved }) => noted('fetch', resolved as Snapshot),
        discard: () => noted('discard', undefined),
        poll: ({ repoUrl }) => noted(`poll ${repoUrl}`, script.poll?.(repoUrl) ?? NEVER_POLLED),
        recall: () => Promise.resolve(undefined),
      },
      render: {
        render: async (request) => {
          requests.push(`render ${request.path}`);
          return render(request);
        },
        chartFiles: ({ run }) => noted(`chart ${run.chart.path}`, script.chartFiles ?? { ok: true, files: [] }),
        locateFields: ({ questions }) =>
          noted(
            'locate',
            questions.map(() => undefined),
          ),
      },
      helm: {
        template: ({ run }) => noted(`helm ${run.releaseName}`, script.helm?.() ?? { type: 'text', text: '' }),
        version: () => Promise.resolve('v4.3.1'),
      },
      sops: {
        open: ({ sealed, keys }) =>
          noted(`sops ${sealed.format}`, script.sops?.(sealed, keys) ?? { type: 'opened', bytes: new Uint8Array() }),
      },
      settings: {
        allowCrossNamespace: script.allowCrossNamespace ?? false,
        defaultServiceAccount: undefined,
        discoveryRetryMs: 1_000,
        awaitedDiscoveryRetryMs: 100,
        maxNamespaceRenderedBytes: 1_000,
        maxTotalRenderedBytes: 2_000,
        pollJitter: 0,
        remoteBaseHosts: parseAddressRules('bases.example.com') ?? [],
        remoteBaseAllowUnpinned: false,
        submoduleHosts: parseAddressRules('modules.example.com') ?? [],
        chartHosts: parseAddressRules('charts.example.com') ?? [],
        minPollBackoffMs: 1_000,
        maxPollBackoffMs: 60_000,
      },
      neighbours: {
        renderedSizes: () => script.renderedSizes ?? { namespaceBytes: 0, totalBytes: 0, namespaces: 1 },
      },
    },
  };
}
