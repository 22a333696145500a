import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readAnswer, type AskedFor, type RefusedAnswer } from '../../../src/cluster/answers.ts';
import { readWarnings, withoutValue } from '../../../src/cluster/answer-text.ts';

const deployment: AskedFor = { verb: 'apply', group: 'apps', kind: 'Deployment' };
const secret: AskedFor = { verb: 'apply', group: '', kind: 'Secret' };

interface StatusOptions {
  readonly reason?: string;
  readonly message?: string;
  readonly details?: object;
}

function status(code: number, { reason, message = '', details }: StatusOptions): RefusedAnswer {
  const body = { kind: 'Status', apiVersion: 'v1', status: 'Failure', message, reason, details, code };
  return { status: code, text: JSON.stringify(body) };
}

const rows: [string, RefusedAnswer, { code: string; retry?: unknown; message?: RegExp }][] = [
  [
    'no answer at all is unavailable, with the reason',
    { status: 0, text: '', failure: 'no answer from https://x: nothing listens there' },
    { code: 'Unavailable', retry: 'backoff', message: /nothing listens there/ },
  ],
  ['401 asks to check the credentials', status(401, { reason: 'Unauthorized' }), { code: 'Unauthorized' }],
  [
    '429 is throttled, and waits as long as the server says',
    { ...status(429, { reason: 'TooManyRequests' }), retryAfterMs: 7000 },
    { code: 'Throttled', retry: { afterMs: 7000 } },
  ],
  ['413 is too large for ever', status(413, { reason: 'RequestEntityTooLarge' }), { code: 'TooLarge', retry: 'never' }],
  [
    '500 of etcd about the size is too large for ever',
    status(500, { message: 'etcdserver: request is too large' }),
    { code: 'TooLarge', retry: 'never' },
  ],
  [
    '409 with the cause FieldManagerConflict is a field conflict',
    status(409, {
      reason: 'Conflict',
      details: {
        causes: [
          {
            reason: 'FieldManagerConflict',
            message: 'conflict with "hpa" with subresource "scale" using apps/v1',
            field: '.spec.replicas',
          },
        ],
      },
    }),
    { code: 'FieldConflict', retry: 'never', message: /hpa owns \.spec\.replicas/ },
  ],
  ['409 without causes is a lost race', status(409, { reason: 'Conflict' }), { code: 'Modified', retry: 'backoff' }],
  [
    '422 about metadata.uid is a lost race',
    status(422, { reason: 'Invalid', details: { causes: [{ reason: 'FieldValueInvalid', field: 'metadata.uid' }] } }),
    { code: 'Modified' },
  ],
  [
    '403 with the cause NamespaceTerminating waits',
    status(403, { reason: 'Forbidden', details: { causes: [{ reason: 'NamespaceTerminating' }] } }),
    { code: 'NamespaceTerminating', retry: 'backoff' },
  ],
  [
    '403 is forbidden, in the words of the server',
    status(403, {
      reason: 'Forbidden',
      message: 'deployments.apps "a" is forbidden: User "u" cannot patch resource "x"',
    }),
    { code: 'Forbidden', message: /cannot patch resource/ },
  ],
  [
    '404 about a namespace is a missing namespace',
    status(404, { reason: 'NotFound', details: { name: 'x', kind: 'namespaces' } }),
    { code: 'NamespaceMissing', retry: 'backoff' },
  ],
  [
    '404 in plain text is a kind that is not served',
    { status: 404, text: '404 page not found\n' },
    { code: 'KindNotServed', message: /does not serve Deployment\.apps/ },
  ],
  [
    '404 with empty details is a kind that is not served',
    status(404, { reason: 'NotFound', message: 'the server could not find the requested resource', details: {} }),
    { code: 'KindNotServed' },
  ],
  [
    '404 that names the kind is a missing object',
    status(404, { reason: 'NotFound', details: { name: 'a', group: 'apps', kind: 'deployments' } }),
    { code: 'NotFound' },
  ],
  [
    '422 of the whole object being too long is too large',
    status(422, { reason: 'Invalid', details: { causes: [{ reason: 'FieldValueTooLong', field: '' }] } }),
    { code: 'TooLarge', retry: 'never' },
  ],
  [
    '422 of an admission policy, with a cause without reason, is forbidden',
    status(422, {
      reason: 'Invalid',
      message: "deployments.apps \"a\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no",
      details: { causes: [{ message: "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no" }] },
    }),
    { code: 'Forbidden', message: /denied request: no/ },
  ],
  [
    '422 is an invalid manifest, told by field and tail',
    status(422, {
      reason: 'Invalid',
      message: 'long',
      details: {
        causes: [
          {
            reason: 'FieldValueInvalid',
            message: 'Invalid value: {"matchLabels":{"a":"x: \\"y\\""}}: field is immutable',
            field: 'spec.selector',
          },
        ],
      },
    }),
    { code: 'InvalidManifest', retry: 'never', message: /^spec\.selector: invalid value: field is immutable$/ },
  ],
  [
    '500 about a typed patch object is an invalid manifest',
    status(500, {
      message:
        'failed to create typed patch object (ns/a; apps/v1, Kind=Deployment): errors:\n' +
        '  .spec.foo: field not declared in schema\n' +
        '  .spec.template.spec.containers[name="a b"].env[name="X"].value: expected string, got &value.valueUnstructured{Value:8080}',
    }),
    {
      code: 'InvalidManifest',
      retry: 'never',
      message:
        /^\.spec\.foo: no such field; \.spec\.template\.spec\.containers\[name="a b"\]\.env\[name="X"\]\.value: expected string$/,
    },
  ],
  [
    '500 about an object that cannot be converted is an invalid manifest',
    status(500, { message: 'failed to convert new object (ns/a; apps/v1, Kind=Deployment) to smd typed: errors' }),
    { code: 'InvalidManifest', retry: 'never' },
  ],
  [
    '500 of a webhook that does not answer is tried again',
    status(500, {
      reason: 'InternalError',
      message: 'Internal error occurred: failed calling webhook "v.x.io": failed',
    }),
    { code: 'Unavailable', retry: 'backoff', message: /webhook v\.x\.io does not answer/ },
  ],
  [
    '400 of a webhook that refuses is forbidden',
    status(400, { message: 'admission webhook "v.x.io" denied the request: no latest tag' }),
    { code: 'Forbidden', message: /no latest tag/ },
  ],
  [
    '405 is an invalid manifest',
    status(405, { reason: 'MethodNotAllowed' }),
    { code: 'InvalidManifest', message: /apply/ },
  ],
  ['400 is an invalid manifest', status(400, { reason: 'BadRequest', message: 'bad' }), { code: 'InvalidManifest' }],
  [
    '503 waits as long as the server says',
    { ...status(503, { reason: 'ServiceUnavailable' }), retryAfterMs: 1000 },
    { code: 'Unavailable', retry: { afterMs: 1000 } },
  ],
  ['anything else backs off', { status: 502, text: '<html>' }, { code: 'Unavailable', retry: 'backoff' }],
];
for (const [name, answer, expected] of rows) {
  test(`readAnswer: ${name}`, () => {
    const refusal = readAnswer(answer, deployment);
    assert.equal(refusal.code, expected.code);
    if (expected.retry !== undefined) assert.deepEqual(refusal.retry, expected.retry);
    if (expected.message) assert.match(refusal.message, expected.message);
  });
}

test('readAnswer names the managers of conflicting fields', () => {
  const causes = [{ reason: 'FieldManagerConflict', message: 'conflict with "a \\"b\\"" using v1', field: '.data.x' }];
  const refusal = readAnswer(status(409, { details: { causes } }), deployment);
  assert.deepEqual(refusal.conflicts, [{ field: '.data.x', manager: 'a "b"' }]);
});

test('readAnswer names the fields of an invalid manifest', () => {
  const message = 'failed to create typed patch object (a/b; v1, Kind=X): .spec.x: field not declared in schema';
  assert.deepEqual(readAnswer(status(500, { message }), deployment).fields, ['.spec.x']);
});

const hidden = 'hunter2';
const answers: RefusedAnswer[] = [
  status(400, {
    message: `Secret in version "v1" cannot be handled: error found in #10 byte of ...|"${hidden}"|...`,
  }),
  status(400, { message: `admission webhook "w" denied the request: ${hidden} is weak` }),
  status(403, { message: `ValidatingAdmissionPolicy 'p' with binding 'b' denied request: ${hidden}` }),
  status(422, {
    details: {
      causes: [{ reason: 'FieldValueInvalid', field: 'data', message: `Invalid value: "${hidden}": not ${hidden}` }],
    },
  }),
  status(422, {
    details: { causes: [{ reason: 'FieldValueForbidden', field: 'data', message: `Forbidden: ${hidden}` }] },
  }),
  status(500, {
    message: `failed to create typed patch object (a/b; /v1, Kind=Secret): .data.p: expected string, got &value.valueUnstructured{Value:"${hidden}\n${hidden}"}`,
  }),
  status(500, { message: `other ${hidden}` }),
];
for (const answer of answers) {
  test(`messages about Secrets hold no value (${answer.status}: ${answer.text.length} characters)`, () => {
    assert.doesNotMatch(JSON.stringify(readAnswer(answer, secret)), /hunter2/);
  });
}

test('messages about Secrets still tell which right is missing', () => {
  const message =
    'secrets "a" is forbidden: User "u" cannot patch resource "secrets" in API group "" in the namespace "x"';
  assert.match(readAnswer(status(403, { message }), secret).message, /cannot patch resource "secrets"/);
});

const cases: [string, string][] = [
  ['Invalid value: "a: b\\": c": must be lower case', 'invalid value: must be lower case'],
  [
    'Invalid value: 70000: must be between 1 and 65535, inclusive',
    'invalid value: must be between 1 and 65535, inclusive',
  ],
  ['Invalid value: [1,{"a":"]"}]: bad', 'invalid value: bad'],
  ['Invalid value: "unterminated: x', 'invalid value'],
  ['Unsupported value: "X": supported values: "A", "B"', 'unsupported value: supported values: "A", "B"'],
  ['Duplicate value: {"name":"x"}', 'duplicate value'],
  ['Required value', 'Required value'],
  ['Forbidden: may not change once set', 'Forbidden: may not change once set'],
  ['Too many: 5: must have at most 3 items', 'too many items: must have at most 3 items'],
];
for (const [given, expected] of cases) {
  test(`withoutValue turns ${given} into ${expected}`, () => assert.equal(withoutValue(given), expected));
}

test('readWarnings reads several warnings of one header and of many', () => {
  assert.deepEqual(readWarnings(['299 - "one \\"x\\"", 299 - "two"', '299 kube "three"']), ['one "x"', 'two', 'three']);
  assert.deepEqual(readWarnings(undefined), []);
});
