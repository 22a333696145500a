/** The messages of refusals of Secrets name rights, quotas and webhooks, and hold no value. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readRefusal, type FailedAnswer, type FailedRequest } from '../../../src/cluster/answers.ts';
import { withoutValue } from '../../../src/cluster/answer-text.ts';

const secret: FailedRequest = { verb: 'apply', group: '', kind: 'Secret' };

function status(code: number, fields: { readonly message?: string; readonly details?: object }): FailedAnswer {
  const body = { kind: 'Status', apiVersion: 'v1', status: 'Failure', message: '', ...fields, code };
  return { status: code, text: JSON.stringify(body) };
}

const SECRET_VALUE = 'hunter2';
const answersAboutSecrets: FailedAnswer[] = [
  status(400, {
    message: `Secret in version "v1" cannot be handled: error found in #10 byte of ...|"${SECRET_VALUE}"|...`,
  }),
  status(400, { message: `admission webhook "w" denied the request: ${SECRET_VALUE} is weak` }),
  status(403, { message: `ValidatingAdmissionPolicy 'p' with binding 'b' denied request: ${SECRET_VALUE}` }),
  status(422, {
    details: {
      causes: [
        {
          reason: 'FieldValueInvalid',
          field: 'data',
          message: `Invalid value: "${SECRET_VALUE}": not ${SECRET_VALUE}`,
        },
      ],
    },
  }),
  status(422, {
    details: { causes: [{ reason: 'FieldValueForbidden', field: 'data', message: `Forbidden: ${SECRET_VALUE}` }] },
  }),
  status(500, {
    message: `failed to create typed patch object (a/b; /v1, Kind=Secret): .data.p: expected string, got &value.valueUnstructured{Value:"${SECRET_VALUE}\n${SECRET_VALUE}"}`,
  }),
  status(500, { message: `other ${SECRET_VALUE}` }),
  status(403, { message: `admission webhook "w" denied the request: ${SECRET_VALUE} cannot use resource quota` }),
  status(403, { message: `admission webhook "w" denied the request: exceeded quota: ${SECRET_VALUE}` }),
  status(403, {
    message: `secrets "s" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: User "u" cannot take resource ${SECRET_VALUE}`,
  }),
  status(422, {
    message: `admission webhook "w" denied the request: refused`,
    details: { causes: [{ message: `password ${SECRET_VALUE} is already in use` }] },
  }),
  status(422, { details: { causes: [{ field: 'data', message: `${SECRET_VALUE} is weak` }] } }),
];
for (const answer of answersAboutSecrets) {
  test(`a message about a Secret holds no value of it (${answer.status}: ${answer.text.length} characters)`, () => {
    assert.doesNotMatch(JSON.stringify(readRefusal(answer, secret)), /hunter2/);
  });
}

test('a message about a Secret names the quota that is exceeded', () => {
  const message =
    'secrets "a" is forbidden: exceeded quota: q, requested: count/secrets=1, used: count/secrets=2, limited: count/secrets=2';
  assert.equal(readRefusal(status(403, { message }), secret).message, message);
});

test('a message about a Secret names the missing right', () => {
  const message =
    'secrets "a" is forbidden: User "u" cannot patch resource "secrets" in API group "" in the namespace "x"';
  assert.match(readRefusal(status(403, { message }), secret).message, /cannot patch resource "secrets"/);
});

for (const [given, expected] of [
  ['Too long: may not be more than 1048576 bytes', 'Too long'],
  ['Required value', 'Required value'],
  ['Forbidden: field is immutable when `immutable` is set', 'Forbidden'],
  ['the words of a webhook', 'refused'],
] as const) {
  test(`the error '${given}' of a field of a Secret is shown as '${expected}'`, () =>
    assert.equal(withoutValue(given, true), expected));
}
