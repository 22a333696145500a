/**
 * A ClusterClient with one scripted answer for each request, in order. It knows nothing about Kubernetes: a request
 * that the script does not name next fails the test.
 */
import assert from 'node:assert/strict';
import type { ApplyRequest, ClusterClient, DeleteAnswer, ReadAnswer, WriteAnswer } from '../../src/cluster/ports.ts';
import { stringAt, type KubeObject } from '../../src/object/value.ts';

interface Answers {
  readonly get: ReadAnswer;
  readonly apply: WriteAnswer;
  readonly takeOver: WriteAnswer;
  readonly moveGoneVersions: WriteAnswer;
  readonly takeFields: WriteAnswer;
  readonly tryReplace: WriteAnswer;
  readonly release: WriteAnswer;
  readonly isImmutable: boolean;
  readonly remove: DeleteAnswer;
}

/** The answer to one request, by the name of the method: `{ get: … }`, `{ apply: … }` and so on. */
export type ScriptedAnswer = { [Method in keyof Answers]: Pick<Answers, Method> }[keyof Answers];

export interface ScriptedClient {
  readonly client: ClusterClient;
  /** Bodies of the apply and tryReplace requests so far. */
  readonly bodies: readonly KubeObject[];
  /** For each apply request so far: whether it may only create the object. */
  readonly creations: readonly boolean[];
  /**
   * Asserts that exactly these requests were made, and that no answer of the script is left. A request is one line,
   * such as `apply settings force` or `remove settings u1 at 1`.
   */
  readonly expectRequests: (expected: readonly string[]) => void;
}

export function scriptClient(script: readonly ScriptedAnswer[]): ScriptedClient {
  const left = [...script];
  const requests: string[] = [];
  const bodies: KubeObject[] = [];
  const creations: boolean[] = [];
  const answer = async <T>(request: string, pick: (scripted: Partial<Answers>) => T | undefined): Promise<T> => {
    requests.push(request);
    const scripted = left.shift();
    return (scripted && pick(scripted)) ?? assert.fail(`unexpected request '${request}' after ${requests.length - 1}`);
  };
  return {
    client: {
      get: (_kind, { name }) => answer(`get ${name}`, ({ get }) => get),
      apply(request) {
        bodies.push(request.body);
        creations.push(request.isCreation === true);
        return answer(lineOf(request), ({ apply }) => apply);
      },
      takeOver: (_kind, { id, resourceVersion }) =>
        answer(`takeOver ${id.name} at ${resourceVersion}`, ({ takeOver }) => takeOver),
      moveGoneVersions: (_kind, { id, resourceVersion }, goneVersion) =>
        answer(
          `moveGoneVersions ${id.name} at ${resourceVersion} from ${goneVersion}`,
          ({ moveGoneVersions }) => moveGoneVersions,
        ),
      takeFields: (_kind, { id, resourceVersion }, fields) =>
        answer(`takeFields ${id.name} at ${resourceVersion} ${JSON.stringify(fields)}`, ({ takeFields }) => takeFields),
      tryReplace(_kind, { id, resourceVersion }, body) {
        bodies.push(body);
        return answer(`tryReplace ${id.name} at ${resourceVersion}`, ({ tryReplace }) => tryReplace);
      },
      release: (_kind, { id, resourceVersion }, to) =>
        answer(
          `release ${id.name} at ${resourceVersion}${to ? ` to ${to.ownerAnnotation}` : ''}`,
          ({ release }) => release,
        ),
      isImmutable: (_kind, body) => answer(`isImmutable ${nameIn(body)}`, ({ isImmutable }) => isImmutable),
      remove({ id, uid, resourceVersion, dryRun }) {
        const words = [`remove ${id.name} ${uid} at ${resourceVersion}`, ...(dryRun ? ['dryRun'] : [])];
        return answer(words.join(' '), ({ remove }) => remove);
      },
      listBySelector: () => assert.fail("unexpected request 'listBySelector'"),
    },
    bodies,
    creations,
    expectRequests(expected) {
      assert.deepEqual(requests, expected);
      assert.deepEqual(left, [], 'answers that no request has used');
    },
  };
}

/** `apply NAME`, with the guards of the body and the options of the request that are set. */
function lineOf({ body, force, dryRun, fieldManager }: ApplyRequest): string {
  const uid = stringAt(body.metadata, 'uid');
  const resourceVersion = stringAt(body.metadata, 'resourceVersion');
  return [
    `apply ${nameIn(body)}`,
    ...(uid === undefined ? [] : [uid]),
    ...(resourceVersion === undefined ? [] : [`at ${resourceVersion}`]),
    ...(force ? ['force'] : []),
    ...(dryRun ? ['dryRun'] : []),
    ...(fieldManager === undefined ? [] : [`as ${fieldManager}`]),
  ].join(' ');
}

function nameIn(body: KubeObject): string {
  return stringAt(body.metadata, 'name') ?? '';
}
