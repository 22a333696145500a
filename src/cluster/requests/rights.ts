/**
 * Reviews the rights of an identity by a SelfSubjectAccessReview, which is sent as that identity. The result is only a
 * forecast: the request itself decides.
 */
import { stringifyJson } from '../../object/json.ts';
import { valueAt } from '../../object/value.ts';
import type { Identity } from '../identity.ts';
import type { KindInfo } from '../kinds.ts';
import { tryParseJson } from '../live-object.ts';
import type { Transport } from '../transport/transport.ts';

const PATH = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';

/** Whether the identity may list and watch a kind in all namespaces; false if there is no answer. */
export async function mayWatchEverywhere(
  transport: Pick<Transport, 'send'>,
  identity: Identity,
  { group, version, plural }: KindInfo,
): Promise<boolean> {
  const answers = await Promise.all(
    ['list', 'watch'].map((verb) =>
      transport.send({
        verb: 'create',
        method: 'POST',
        path: PATH,
        identity,
        category: 'other',
        contentType: 'application/json',
        body: stringifyJson({
          apiVersion: 'authorization.k8s.io/v1',
          kind: 'SelfSubjectAccessReview',
          spec: { resourceAttributes: { verb, group, version, resource: plural } },
        }),
      }),
    ),
  );
  return answers.every(({ text }) => valueAt(tryParseJson(text), 'status', 'allowed') === true);
}
