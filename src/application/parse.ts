/**
 * Reads a stored Application. Invariant: never throws for any stored value, since values may be older than the schema
 * and the API server does not validate them again. Each problem names its field.
 */
import type { z } from 'zod';
import { APPLICATION_KIND } from '../object/applyset.ts';
import { annotationsOf, labelsOf } from '../object/identity.ts';
import { listAt, mapAt, numberAt, stringAt, type KubeObject, type Value, type ValueMap } from '../object/value.ts';
import { isArtifactSource, readArtifactRevision } from './artifact-revision.ts';
import { rangeOfRevision } from './version-range.ts';
import { isReadableSchedule, isTimeZone } from './cron.ts';
import { describeIssue } from './issue-words.ts';
import { API_VERSION } from './keys.ts';
import {
  specSchema,
  type Application,
  type ApplicationMetadata,
  type ApplicationSpec,
  type StoredStatus,
} from './schema.ts';
import { statusSchema } from './status-schema.ts';

export type ParsedApplication =
  | { readonly ok: true; readonly application: Application }
  | {
      readonly ok: false;
      /** For people, one sentence per field: `spec.source.interval must be at least 10s and at most 24h`. */
      readonly problems: string[];
      /** Needed to write the problems to status, and to finalise a deletion. */
      readonly metadata: ApplicationMetadata;
      readonly status: StoredStatus;
    };

/**
 * Fills in defaults and drops unknown fields. A malformed part of status is left out, except the inventory, which is
 * kept as it is stored.
 */
export function parseApplication(object: KubeObject): ParsedApplication {
  const metadata = readMetadata(object);
  const status = readStatus(mapAt(object, 'status'));
  const problems: string[] = [];
  if (object.apiVersion !== API_VERSION || object.kind !== APPLICATION_KIND) {
    problems.push(`expected ${APPLICATION_KIND} of ${API_VERSION}, got ${object.kind} of ${object.apiVersion}`);
  }
  const spec = specSchema.safeParse(object['spec'] ?? {});
  if (!spec.success) problems.push(...spec.error.issues.map((issue) => describeIssue(issue, 'spec')));
  else problems.push(...allScheduleProblems(spec.data), ...revisionProblems(spec.data));
  if (!spec.success || problems.length > 0) return { ok: false, problems, metadata, status };
  return { ok: true, application: { metadata, spec: spec.data, status } };
}

function allScheduleProblems({ source, sync }: ApplicationSpec): string[] {
  const windows = (sync.windows ?? []).flatMap((window, at) => scheduleProblems(window, `spec.sync.windows[${at}]`));
  return [...scheduleProblems(source, 'spec.source'), ...windows];
}

/** Checks that no rule of the API server can express. */
function scheduleProblems(
  { schedule, timeZone }: Pick<ApplicationSpec['source'], 'schedule' | 'timeZone'>,
  field: string,
): string[] {
  const problems: string[] = [];
  if (schedule !== undefined && !isReadableSchedule(schedule)) {
    problems.push(`${field}.schedule has a value that is out of range, or a day that no month has`);
  }
  if (timeZone !== undefined && !isTimeZone(timeZone)) {
    problems.push(`${field}.timeZone must be the IANA name of a time zone, such as Europe/Berlin`);
  }
  return problems;
}

/** Ranges of versions that no rule of the API server can read. */
function revisionProblems({ source, sources = [] }: ApplicationSpec): string[] {
  const all = [
    { ...source, field: 'spec.source' },
    ...sources.map((named) => ({ ...named, field: `spec.sources[${named.name}]` })),
  ];
  return all
    .filter((one) =>
      isArtifactSource(one)
        ? !readArtifactRevision(one.revision, one.chart !== undefined)
        : one.revision.startsWith('semver:') && !rangeOfRevision(one.revision),
    )
    .map((one) => {
      const kinds = isArtifactSource(one) ? 'a version, a tag, a digest' : 'a branch, a tag, a commit';
      return `${one.field}.revision must be ${kinds} or a range such as semver:>=1.2.0 <2.0.0`;
    });
}

/** The path in the form of a file tree: without `.` and empty segments; '' is the root of the repository. */
export function sourcePath(path: string): string {
  return path
    .split('/')
    .filter((segment) => segment !== '' && segment !== '.')
    .join('/');
}

function readMetadata(object: KubeObject): ApplicationMetadata {
  const { metadata } = object;
  const deletionTimestamp = stringAt(metadata, 'deletionTimestamp');
  return {
    namespace: stringAt(metadata, 'namespace') ?? '',
    name: stringAt(metadata, 'name') ?? '',
    uid: stringAt(metadata, 'uid') ?? '',
    resourceVersion: stringAt(metadata, 'resourceVersion') ?? '',
    generation: numberAt(metadata, 'generation') ?? 0,
    labels: labelsOf(object),
    annotations: annotationsOf(object),
    finalizers: listAt(metadata, 'finalizers').filter((name) => typeof name === 'string'),
    ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
  };
}

/** Parses each part by itself, so that a malformed part does not affect the others. */
function readStatus(stored: ValueMap): StoredStatus {
  const status: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(statusSchema.shape)) {
    const value: Value | undefined = stored[name];
    if (value === undefined) continue;
    if (name === 'inventory') status[name] = value;
    else {
      const part = (schema as z.ZodType).safeParse(value);
      if (part.success) status[name] = part.data;
    }
  }
  return status;
}
