/** The cause that Events tell of an object that is not well. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { causeOf, tellingCause, withCause, type Cause, type Troubled } from '../../../src/health/causes.ts';

const NOW = Date.parse('2026-03-01T10:00:00Z');
const WEB: Troubled = {
  kind: 'Deployment',
  name: 'web',
  uid: 'u-web',
  pods: [{ name: 'web-7d4b-x2x8l', uid: 'u-pod' }],
};
const WAITING = { status: 'Progressing', message: '0 of 1 replicas available' } as const;

function cause(reason: string, message: string, more: Partial<Cause> = {}): Cause {
  return { kind: 'Pod', name: 'web-7d4b-x2x8l', uid: 'u-pod', reason, message, atMs: NOW, ...more };
}

const ofSet = (reason: string, message: string): Cause =>
  cause(reason, message, { kind: 'ReplicaSet', name: 'web-7d4b', uid: 'u-set' });

const QUOTA =
  'Error creating: pods "web-7d4b-abcde" is forbidden: exceeded quota: small, requested: pods=1, used: pods=2';
const VOLUME = 'MountVolume.SetUp failed for volume "data" : secret "db" not found';

const CASES: readonly (readonly [string, readonly Cause[], string])[] = [
  ['a quota', [ofSet('FailedCreate', QUOTA)], `ReplicaSet web-7d4b: FailedCreate: ${QUOTA}`],
  [
    'an admission webhook',
    [ofSet('FailedCreate', 'admission webhook "p.example.com" denied the request: no limits')],
    'ReplicaSet web-7d4b: FailedCreate: admission webhook "p.example.com" denied the request: no limits',
  ],
  ['a volume', [cause('FailedMount', VOLUME)], `Pod web-7d4b-x2x8l: FailedMount: ${VOLUME}`],
  [
    'a probe by HTTP',
    [cause('Unhealthy', 'Readiness probe failed: HTTP probe failed with statuscode: 503')],
    'Pod web-7d4b-x2x8l: Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 503',
  ],
  [
    'a probe that runs a command, without its output',
    [cause('Unhealthy', 'Liveness probe failed: password=hunter2')],
    'Pod web-7d4b-x2x8l: Unhealthy: Liveness probe failed (the output of its command is not shown)',
  ],
  [
    'an Event of the object itself',
    [cause('FailedGetScale', 'no metrics', { kind: 'Deployment', name: 'web', uid: 'u-web' })],
    'FailedGetScale: no metrics',
  ],
  [
    'what keeps Pods from being created before what keeps one from running',
    [
      cause('Unhealthy', 'Readiness probe failed: dial tcp: i/o timeout'),
      cause('FailedMount', VOLUME),
      ofSet('FailedCreate', QUOTA),
    ],
    `ReplicaSet web-7d4b: FailedCreate: ${QUOTA}`,
  ],
  [
    'unprintable characters as escapes',
    [cause('FailedMount', 'volume \u001b[2J is missing')],
    'Pod web-7d4b-x2x8l: FailedMount: volume \\u001b[2J is missing',
  ],
];

for (const [title, causes, text] of CASES) {
  test(`the sentence begins with ${title}`, () => {
    const { status, message } = withCause(WAITING, WEB, causes);
    assert.equal(status, 'Progressing');
    assert.equal(message.slice(0, text.length), text);
    assert.match(message, /0 of 1 replicas available$/);
  });
}

const IGNORED: Readonly<Record<string, Cause>> = {
  'a Pod of another workload': cause('FailedMount', VOLUME, { name: 'other-1', uid: 'u-other' }),
  'an earlier Pod of the same name': cause('FailedMount', VOLUME, { uid: 'u-earlier' }),
  'the ReplicaSet of another Deployment': cause('FailedCreate', QUOTA, { kind: 'ReplicaSet', name: 'web-admin-7d4b' }),
  'an object of the same name and another uid': cause('Failed', 'x', { kind: 'Deployment', name: 'web', uid: 'old' }),
  'a crash, which the status of the Pod tells': cause('BackOff', 'Back-off restarting failed container'),
  'a missing node, which the status of the Pod tells': cause('FailedScheduling', '0/3 nodes are available'),
};

for (const [title, event] of Object.entries(IGNORED)) {
  test(`an Event is ignored that is about ${title}`, () => {
    assert.equal(withCause(WAITING, WEB, [event]), WAITING);
  });
}

test('an earlier trouble gives way to a recent one', () => {
  const old = cause('FailedMount', VOLUME, { atMs: NOW - 3_600_000 });
  const recent = cause('Unhealthy', 'Readiness probe failed: statuscode: 500');
  assert.equal(tellingCause(WEB, [old, recent]), recent);
  assert.equal(tellingCause(WEB, [old]), old);
});

test('the answer does not depend on the order of the Events', () => {
  const causes = [cause('FailedMount', 'b'), cause('FailedMount', 'a'), cause('Unhealthy', 'statuscode: 500')];
  assert.deepEqual(tellingCause(WEB, causes), tellingCause(WEB, causes.toReversed()));
});

test('a cause that the sentence tells already is not repeated', () => {
  const told = { status: 'Degraded', message: `0 of 1 replicas updated; FailedCreate: ${QUOTA}` } as const;
  assert.equal(withCause(told, WEB, [ofSet('FailedCreate', QUOTA)]), told);
});

test('the sentence is bounded', () => {
  assert.ok(withCause(WAITING, WEB, [cause('FailedMount', 'x'.repeat(5_000))]).message.length <= 300);
});

test('a bare Pod is explained by its own Events', () => {
  const pod: Troubled = { kind: 'Pod', name: 'web-7d4b-x2x8l', uid: 'u-pod', pods: [] };
  assert.match(withCause(WAITING, pod, [cause('FailedMount', VOLUME)]).message, /^FailedMount: MountVolume/);
  assert.equal(withCause(WAITING, pod, [cause('Failed', 'Error: ErrImagePull')]), WAITING);
});

test('an Event is read with the newest of its times', () => {
  const read = causeOf({
    involvedObject: { kind: 'Pod', name: 'a', uid: 'u' },
    reason: 'FailedMount',
    message: 'm',
    metadata: { creationTimestamp: '2026-03-01T09:00:00Z' },
    lastTimestamp: '2026-03-01T10:00:00Z',
  });
  assert.deepEqual(read, { kind: 'Pod', name: 'a', uid: 'u', reason: 'FailedMount', message: 'm', atMs: NOW });
  assert.equal(causeOf({}).atMs, -Infinity);
});
