/**
 * The webhook formats of registries: how each of them names the artifact that was pushed. The form of the payload tells
 * which registry has sent it.
 *
 * Invariant: no payload makes a function throw, and a bounded part of it is returned.
 */
import { listAt, mapAt, stringAt, valueAt, type Value } from '../object/value.ts';

/** Addresses with `oci://` of the pushed artifacts. undefined: the payload is not about a push. */
export function pushedArtifacts(payload: Value): string[] | undefined {
  const found = FORMATS.map((read) => read(payload)).find((references) => references !== undefined);
  return found?.slice(0, MAX_ARTIFACTS).flatMap((reference) => (reference === undefined ? [] : addressesOf(reference)));
}

const MAX_ARTIFACTS = 10;

/** `host/path`, perhaps with a tag or digest. undefined as a whole: another format, or not a push. */
type Read = (payload: Value) => (string | undefined)[] | undefined;

const FORMATS: readonly Read[] = [readNotifications, readNotification, readHarbor, readDockerHub, readQuay];

/** The registry of the distribution project: `{events: [{action, target, request}]}`. */
function readNotifications(payload: Value): (string | undefined)[] | undefined {
  const events = listAt(payload, 'events').slice(0, 1_000);
  const pushed = events.flatMap((event) => readNotification(event) ?? []);
  return pushed.length > 0 ? [...new Set(pushed)] : undefined;
}

/** Azure Container Registry sends one such event. */
function readNotification(event: Value): (string | undefined)[] | undefined {
  const action = stringAt(event, 'action');
  if (action !== 'push' && action !== 'chart_push') return undefined;
  const repository = stringAt(event, 'target', 'repository');
  const host = stringAt(event, 'request', 'host') ?? URL.parse(stringAt(event, 'target', 'url') ?? '')?.host;
  return repository === undefined || host === undefined ? undefined : [`${host}/${repository}`];
}

/** Harbor, in its own format and as CloudEvents. */
function readHarbor(payload: Value): (string | undefined)[] | undefined {
  const type = stringAt(payload, 'type');
  if (type !== 'PUSH_ARTIFACT' && type !== 'harbor.artifact.pushed') return undefined;
  const data = mapAt(payload, type === 'PUSH_ARTIFACT' ? 'event_data' : 'data');
  return listAt(data, 'resources').map((resource) => stringAt(resource, 'resource_url'));
}

function readDockerHub(payload: Value): (string | undefined)[] | undefined {
  const name = stringAt(payload, 'repository', 'repo_name');
  if (valueAt(payload, 'push_data') === undefined || name === undefined) return undefined;
  return ['docker.io', 'index.docker.io', 'registry-1.docker.io'].map((host) => `${host}/${name}`);
}

function readQuay(payload: Value): (string | undefined)[] | undefined {
  const url = stringAt(payload, 'docker_url');
  return url === undefined || valueAt(payload, 'updated_tags') === undefined ? undefined : [url];
}

/** The event of GitHub about a pushed package, whose reference names the container registry. */
export function pushedPackage(payload: Value): string[] {
  const versions = ['registry_package', 'package'].map((key) => valueAt(payload, key, 'package_version'));
  return versions.flatMap((version) => {
    const reference = stringAt(version, 'package_url');
    return reference === undefined ? [] : addressesOf(reference);
  });
}

const MAX_REFERENCE_CHARS = 1_024;

/** The artifact, and the address above it: an Application may name that one, and the chart beside it. */
function addressesOf(reference: string): string[] {
  if (reference.length > MAX_REFERENCE_CHARS) return [];
  const bare = (reference.replace(/^[a-z]+:\/\//i, '').split('@')[0] ?? '').replace(/:[^:/]*$/, '');
  const parts = bare.split('/').filter((part) => part !== '');
  if (parts.length < 2) return [];
  const above = parts.length > 2 ? [parts.slice(0, -1)] : [];
  return [parts, ...above].map((path) => `oci://${path.join('/')}`);
}
