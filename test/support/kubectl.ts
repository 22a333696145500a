/**
 * Runs kubectl as the administrator of a test's cluster.
 *
 * Invariant: a command that fails makes the test fail, with the command's own message.
 */
import assert from 'node:assert/strict';
import type { ControlPlane } from '../control-plane/control-plane.ts';

export interface KubectlTarget {
  readonly plane: Pick<ControlPlane, 'kubectl'>;
}

/** Resolves to the standard output. `input` is sent as JSON to the standard input. */
export async function kubectl({ plane }: KubectlTarget, args: readonly string[], input?: unknown): Promise<string> {
  const options = input === undefined ? {} : { input: JSON.stringify(input) };
  const { code, stdout, stderr } = await plane.kubectl(args, options);
  assert.equal(code, 0, `kubectl ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** Runs `kubectl apply --server-side` with force, by the given field manager. */
export async function apply(target: KubectlTarget, object: unknown, manager = 'person'): Promise<void> {
  const args = ['apply', '--server-side', '--force-conflicts', `--field-manager=${manager}`, '-f', '-'];
  await kubectl(target, args, object);
}

export interface Edit {
  /** Absent for an object of a cluster-wide kind, or in the namespace `default`. */
  readonly namespace?: string;
  readonly patch: unknown;
  readonly type?: 'merge' | 'strategic' | 'json';
  /** Such as `status`. */
  readonly subresource?: string;
  /** Field manager; kubectl's own by default. */
  readonly manager?: string;
}

/** Runs `kubectl patch` on an object such as `configmap/a`, with a merge patch unless another type is given. */
export async function edit(
  target: KubectlTarget,
  object: string,
  { namespace, patch, type = 'merge', subresource, manager }: Edit,
): Promise<void> {
  const where = namespace === undefined ? [] : ['-n', namespace];
  const options = [
    ...(subresource === undefined ? [] : [`--subresource=${subresource}`]),
    ...(manager === undefined ? [] : [`--field-manager=${manager}`]),
  ];
  await kubectl(target, ['patch', object, ...where, `--type=${type}`, ...options, '-p', JSON.stringify(patch)]);
}

/** Sets the finalizers of an object, or removes them with an empty list. While an object has one, it is not deleted. */
export function setFinalizers(
  target: KubectlTarget,
  object: string,
  { namespace, finalizers }: { readonly namespace: string; readonly finalizers: readonly string[] },
): Promise<void> {
  return edit(target, object, { namespace, patch: { metadata: { finalizers } } });
}
