import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readRefusal, type FailedAnswer, type FailedRequest } from '../../../src/cluster/answers.ts';
import { withoutValue } from '../../../src/cluster/answer-text.ts';

const deployment: FailedRequest = { verb: 'apply', group: 'apps', kind: 'Deployment' };

interface StatusOptions {
  readonly reason?: string;
  readonly message?: string;
  readonly details?: object;
}

function status(code: number, { reason, message = '', details }: StatusOptions): FailedAnswer {
  const body = { kind: 'Status', apiVersion: 'v1', status: 'Failure', message, reason, details, code };
  return { status: code, text: JSON.stringify(body) };
}

const rows: [string, FailedAnswer, { code: string; retry?: unknown; message?: RegExp }][] = [
  [
    'no answer is unavailable, with the reason',
    { status: 0, text: '', failure: 'no answer from https://x: nothing listens there' },
    { code: 'Unavailable', retry: 'backoff', message: /nothing listens there/ },
  ],
  ['401 is unauthorized', status(401, { reason: 'Unauthorized' }), { code: 'Unauthorized' }],
  [
    '429 is throttled, to be retried after the time that the server names',
    { ...status(429, { reason: 'TooManyRequests' }), retryAfterMs: 7000 },
    { code: 'Throttled', retry: { afterMs: 7000 } },
  ],
  [
    '413 is too large, never to be retried',
    status(413, { reason: 'RequestEntityTooLarge' }),
    { code: 'TooLarge', retry: 'never' },
  ],
  [
    '500 of etcd about the size is too large, never to be retried',
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
    { code: 'FieldConflict', retry: 'backoff', message: /hpa owns \.spec\.replicas/ },
  ],
  ['409 without causes is modified', status(409, { reason: 'Conflict' }), { code: 'Modified', retry: 'backoff' }],
  [
    '422 about metadata.uid is modified',
    status(422, { reason: 'Invalid', details: { causes: [{ reason: 'FieldValueInvalid', field: 'metadata.uid' }] } }),
    { code: 'Modified' },
  ],
  [
    '403 with the cause NamespaceTerminating is retried',
    status(403, { reason: 'Forbidden', details: { causes: [{ reason: 'NamespaceTerminating' }] } }),
    { code: 'NamespaceTerminating', retry: 'backoff' },
  ],
  [
    '403 is forbidden, with the message of the server',
    status(403, {
      reason: 'Forbidden',
      message: 'deployments.apps "a" is forbidden: User "u" cannot patch resource "x"',
    }),
    { code: 'Forbidden', message: /cannot patch resource/ },
  ],
  [
    '403 of a quota is an exceeded quota',
    status(403, {
      reason: 'Forbidden',
      message:
        'cronjobs.batch "b" is forbidden: exceeded quota: q, requested: count/cronjobs.batch=1, used: 1, limited: 1',
    }),
    { code: 'QuotaExceeded', retry: 'backoff', message: /exceeded quota: q/ },
  ],
  [
    'a denial because another object has the host is a taken place',
    status(400, {
      reason: 'BadRequest',
      message:
        'admission webhook "validate.example.com" denied the request: host "a.example" and path "/" is already defined ' +
        'in ingress shop/old',
    }),
    { code: 'Taken', retry: 'backoff', message: /shop\/old/ },
  ],
  [
    '422 whose causes all say that another object has the value is a taken place, with the field',
    status(422, {
      reason: 'Invalid',
      details: {
        causes: [
          {
            reason: 'FieldValueInvalid',
            message: 'Invalid value: 30480: provided port is already allocated',
            field: 'spec.ports[0].nodePort',
          },
        ],
      },
    }),
    { code: 'Taken', retry: 'backoff', message: /spec\.ports\[0\]\.nodePort/ },
  ],
  [
    '422 that has another cause as well is an invalid manifest',
    status(422, {
      reason: 'Invalid',
      details: {
        causes: [
          {
            reason: 'FieldValueInvalid',
            message: 'provided port is already allocated',
            field: 'spec.ports[0].nodePort',
          },
          { reason: 'FieldValueRequired', message: 'Required value', field: 'spec.ports[1].name' },
        ],
      },
    }),
    { code: 'InvalidManifest', retry: 'never' },
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
    '422 of a ConfigMap that is too long is too large: the server names it by an empty list',
    status(422, { details: { causes: [{ reason: 'FieldValueTooLong', field: '[]' }] } }),
    { code: 'TooLarge', retry: 'never' },
  ],
  [
    '422 of one long field is an invalid manifest',
    status(422, { details: { causes: [{ reason: 'FieldValueTooLong', field: 'metadata.labels' }] } }),
    { code: 'InvalidManifest', retry: 'never' },
  ],
  [
    '500 of two ports with one port of the node is taken',
    status(500, { message: 'duplicate nodePort: {TCP 30080}' }),
    { code: 'Taken', retry: 'backoff' },
  ],
  [
    '403 of a Role names the rights that the account lacks, which stand below a colon',
    status(403, {
      reason: 'Forbidden',
      message: 'user "a" is attempting to grant RBAC permissions not currently held:\n{APIGroups:["x"], Verbs:["*"]}',
    }),
    { code: 'Forbidden', message: /not currently held: \{APIGroups:\["x"\], Verbs:\["\*"\]\}/ },
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
    '422 is an invalid manifest, with the field and the reason',
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
    '500 of a webhook that does not answer is retried',
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
    '500 about a version of managedFields that is served no more names it',
    status(500, {
      message: 'request to convert CR to an invalid group/version: plant.example.org/v1beta1',
    }),
    { code: 'VersionGone', retry: 'backoff', message: /names plant\.example\.org\/v1beta1, which/ },
  ],
  ...[405, 415, 422].map((code): (typeof rows)[number] => [
    `${code} of a webhook that refuses is forbidden`,
    status(code, { message: 'admission webhook "v.x.io" denied the request: no latest tag' }),
    { code: 'Forbidden', retry: 'backoff', message: /no latest tag/ },
  ]),
  [
    '405 is an invalid manifest that names the verb',
    status(405, { reason: 'MethodNotAllowed' }),
    { code: 'InvalidManifest', message: /apply/ },
  ],
  ['400 is an invalid manifest', status(400, { reason: 'BadRequest', message: 'bad' }), { code: 'InvalidManifest' }],
  [
    '503 is retried after the time that the server names',
    { ...status(503, { reason: 'ServiceUnavailable' }), retryAfterMs: 1000 },
    { code: 'Unavailable', retry: { afterMs: 1000 } },
  ],
  [
    'any other status is retried with a backoff',
    { status: 502, text: '<html>' },
    { code: 'Unavailable', retry: 'backoff' },
  ],
];
for (const [name, answer, expected] of rows) {
  test(name, () => {
    const refusal = readRefusal(answer, deployment);
    assert.equal(refusal.code, expected.code);
    if (expected.retry !== undefined) assert.deepEqual(refusal.retry, expected.retry);
    if (expected.message) assert.match(refusal.message, expected.message);
  });
}

test('a field conflict names the manager of each field', () => {
  const causes = [{ reason: 'FieldManagerConflict', message: 'conflict with "a \\"b\\"" using v1', field: '.data.x' }];
  const refusal = readRefusal(status(409, { details: { causes } }), deployment);
  assert.deepEqual(refusal.conflicts, [{ field: '.data.x', manager: 'a "b"' }]);
});

test('an invalid manifest names its fields', () => {
  const message = 'failed to create typed patch object (a/b; v1, Kind=X): .spec.x: field not declared in schema';
  assert.deepEqual(readRefusal(status(500, { message }), deployment).fields, ['.spec.x']);
});

test('the same errors in another order give the same refusal', () => {
  const anyField = fc.constantFrom('.data.port', '.metadata.labels.a', '.metadata.labels.b', '.spec.x', '.spec.y');
  const anyCause = fc.record({
    reason: fc.constantFrom('FieldValueInvalid', 'FieldManagerConflict', 'FieldValueForbidden'),
    field: anyField,
    message: fc.constantFrom('Invalid value: 5: must be a string', 'Required value', 'conflict with "hpa" using v1'),
  });
  const anyLine = fc.tuple(anyField, fc.constantFrom('expected string, got &value', 'field not declared in schema'));
  const [causes, lines] = [fc.array(anyCause, { maxLength: 8 }), fc.array(anyLine, { maxLength: 8 })];
  const anyErrors = fc.tuple(fc.constantFrom(409, 422, 500), causes, lines);
  const shuffled = anyErrors.chain(([code, some, more]) =>
    fc.record({
      code: fc.constant(code),
      causes: fc.tuple(fc.constant(some), fc.shuffledSubarray(some, { minLength: some.length })),
      lines: fc.tuple(fc.constant(more), fc.shuffledSubarray(more, { minLength: more.length })),
    }),
  );
  fc.assert(
    fc.property(shuffled, (errorsOf) => {
      const [one, other] = ([0, 1] as const).map((side) => {
        const errors = errorsOf.lines[side].map(([field, text]) => `\n  ${field}: ${text}`).join('');
        const message = `failed to create typed patch object (a/b; v1, Kind=X): errors:${errors}`;
        return readRefusal(status(errorsOf.code, { message, details: { causes: errorsOf.causes[side] } }), deployment);
      });
      assert.deepEqual(other, one);
    }),
  );
});

/** Refusals of a manifest. A custom kind may be defined otherwise tomorrow, a built-in one may not. */
const REFUSED_MANIFESTS: Readonly<Record<string, FailedAnswer>> = {
  'an unknown field': status(500, {
    message: 'failed to create typed patch object (t/v; x/v1, Kind=V): .spec.grade: field not declared in schema',
  }),
  'an invalid value': status(422, {
    details: { causes: [{ reason: 'FieldValueInvalid', field: 'spec.size', message: 'Invalid value: 0: too small' }] },
  }),
  'a body that cannot be read': status(400, { reason: 'BadRequest', message: 'bad' }),
};

for (const [what, answer] of Object.entries(REFUSED_MANIFESTS)) {
  for (const [group, retry] of [
    ['apps', 'never'],
    ['', 'never'],
    ['networking.k8s.io', 'never'],
    ['gateway.networking.k8s.io', 'backoff'],
    ['plant.example.net', 'backoff'],
  ] as const) {
    test(`${what} of a kind of the group '${group}' is retried: ${retry}`, () => {
      const refusal = readRefusal(answer, { verb: 'apply', group, kind: 'Valve' });
      assert.deepEqual([refusal.code, refusal.retry], ['InvalidManifest', retry]);
    });
  }
}

const fieldErrors: [string, string][] = [
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
for (const [given, expected] of fieldErrors) {
  test(`the field error '${given}' is shown as '${expected}'`, () => assert.equal(withoutValue(given), expected));
}
