/** A report of a pass that applied everything, for tests of what status and Events say. */
import assert from 'node:assert/strict';
import { parseApplication } from '../../../src/application/parse.ts';
import type { PassReport } from '../../../src/status/report.ts';
import { validSpec } from '../application/spec-cases.ts';

export const COMMIT = 'a'.repeat(40);
export const REVISION = `main@sha1:${COMMIT}`;

export function passReport(more: Partial<PassReport> = {}): PassReport {
  const metadata = { namespace: 'apps', name: 'shop', uid: 'u', resourceVersion: '1', generation: 3 };
  const parsed = parseApplication({
    apiVersion: 'tautline.dev/v1alpha1',
    kind: 'Application',
    metadata,
    spec: validSpec(),
  });
  assert.ok(parsed.ok);
  return {
    application: parsed.application,
    intent: { mode: 'auto', prune: true, objects: undefined },
    phase: 'ended',
    revision: REVISION,
    commit: COMMIT,
    failures: [],
    problems: [],
    renderWarnings: [],
    changes: [],
    rivalClaims: [],
    contestedObjects: [],
    polling: [],
    finishedJobs: undefined,
    startedJobs: undefined,
    applied: new Map(),
    waitingFor: [],
    held: undefined,
    health: new Map(),
    worst: undefined,
    inventory: [],
    desiredDigest: 'digest',
    isComplete: true,
    isEmptyRender: false,
    isTimedOut: false,
    isHealthOverdue: false,
    startedAt: '2026-03-01T09:59:00Z',
    ...more,
  };
}
