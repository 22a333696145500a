/**
 * The form of the rules by which custom resources are assessed, and the few functions that write them. Rules are data:
 * the assessment (`by-rules.ts`) and the page docs/spec/health.md are made from the same values.
 *
 * Paths are keys with dots between them, from the object or from the item of a list.
 */
import type { HealthStatus } from './assessment.ts';

export type Scalar = string | number | boolean;

/** A condition that exists, with one of the statuses and reasons if they are given. */
export interface ConditionTest {
  readonly condition: string;
  readonly status?: readonly string[];
  readonly reasons?: readonly string[];
  readonly severities?: readonly string[];
}

/** The value at the path is one of the values. */
export interface ValueTest {
  readonly path: string;
  readonly values: readonly Scalar[];
}

/** The text at the path begins with one of the texts. */
export interface PrefixTest {
  readonly path: string;
  readonly prefixes: readonly string[];
}

/** The path leads to a value that is neither null nor an empty text, list or map. */
export interface PresenceTest {
  readonly path: string;
  readonly isPresent: boolean;
}

/** The count at the path, 0 if absent, is below another one, which is `ifAbsent` if its path leads nowhere. */
export interface BelowTest {
  readonly path: string;
  readonly below: string | number;
  readonly ifAbsent: number;
}

export interface AnnotationTest {
  readonly annotation: string;
  /** undefined: every value. */
  readonly value?: string;
}

export interface NotTest {
  readonly not: Test;
}

export type Test = ConditionTest | ValueTest | PrefixTest | PresenceTest | BelowTest | AnnotationTest | NotTest;

/** Decides if all tests hold. */
export interface PlainRule {
  readonly is: HealthStatus;
  readonly when: readonly Test[];
}

/** Assesses each item of a list. The worst item decides, unless all of them are Healthy. */
export interface EachRule {
  readonly each: string;
  readonly rules: readonly Rule[];
  readonly otherwise: HealthStatus;
}

export type Rule = PlainRule | EachRule;

/** The first rule that decides wins. */
export interface RuleSet {
  readonly rules: readonly Rule[];
  readonly otherwise: HealthStatus;
  /** Each of them suspends the object. They come before the generation: a paused controller does not observe it. */
  readonly pauses: readonly Test[];
  /** Whether conditions carry an observedGeneration that must be that of the object (Gateway API). */
  readonly isObservedByCondition: boolean;
}

export interface KindRules extends RuleSet {
  /** `*.crossplane.io` stands for every group that ends so. */
  readonly group: string;
  /** `*Template` stands for kinds whose last word this is, `*` for all kinds that have no other rules in the group. */
  readonly kind: string;
}

export const on = (condition: string, status?: string | readonly string[], ...reasons: string[]): ConditionTest => ({
  condition,
  ...(status === undefined ? {} : { status: typeof status === 'string' ? [status] : status }),
  ...(reasons.length > 0 ? { reasons } : {}),
});
/** False, with one of the severities of Cluster API. */
export const fails = (condition: string, ...severities: string[]): ConditionTest => ({
  condition,
  status: ['False'],
  severities,
});
export const at = (path: string, ...values: Scalar[]): ValueTest => ({ path, values });
export const begins = (path: string, ...prefixes: string[]): PrefixTest => ({ path, prefixes });
export const has = (path: string): PresenceTest => ({ path, isPresent: true });
export const lacks = (path: string): PresenceTest => ({ path, isPresent: false });
export const below = (path: string, limit: string | number, ifAbsent = 0): BelowTest => ({
  path,
  below: limit,
  ifAbsent,
});
export const annotated = (annotation: string, value?: string): AnnotationTest =>
  value === undefined ? { annotation } : { annotation, value };
export const not = (test: Test): NotTest => ({ not: test });

export const healthy = (...when: Test[]): PlainRule => ({ is: 'Healthy', when });
export const degraded = (...when: Test[]): PlainRule => ({ is: 'Degraded', when });
export const progressing = (...when: Test[]): PlainRule => ({ is: 'Progressing', when });
export const suspended = (...when: Test[]): PlainRule => ({ is: 'Suspended', when });
export const unknown = (...when: Test[]): PlainRule => ({ is: 'Unknown', when });
export const each = (path: string, rules: readonly Rule[], otherwise: HealthStatus = 'Progressing'): EachRule => ({
  each: path,
  rules,
  otherwise,
});

/** False is Degraded, except for the reasons of an object that is still on its way; True is Healthy. */
export function settled(condition: string, ...progress: string[]): readonly Rule[] {
  return [
    ...(progress.length > 0 ? [progressing(on(condition, 'False', ...progress))] : []),
    degraded(on(condition, 'False')),
    healthy(on(condition, 'True')),
  ];
}

/** True is Healthy; False is Progressing, except for the reasons of a failure. */
export function awaited(condition: string, ...failures: string[]): readonly Rule[] {
  return [
    ...(failures.length > 0 ? [degraded(on(condition, 'False', ...failures))] : []),
    healthy(on(condition, 'True')),
  ];
}

export type Words = Readonly<Partial<Record<HealthStatus, readonly Scalar[]>>>;

/** By the word at a path. */
export function byWord(path: string, words: Words): readonly Rule[] {
  return Object.entries(words).map(([is, values]) => ({ is: is as HealthStatus, when: [{ path, values }] }));
}

/** All conditions must be True: the first one that is False is Degraded. */
export function allOf(...conditions: string[]): readonly Rule[] {
  return [
    ...conditions.map((condition) => degraded(on(condition, 'False'))),
    healthy(...conditions.map((condition) => on(condition, 'True'))),
  ];
}

type Entry = readonly Rule[] | (Partial<RuleSet> & { readonly rules: readonly Rule[] });

/** Several kinds with the same rules share a key, with spaces between them. */
export function kindsOf(group: string, entries: Readonly<Record<string, Entry>>): readonly KindRules[] {
  return Object.entries(entries).flatMap(([kinds, entry]) => {
    const set = 'rules' in entry ? entry : { rules: entry };
    return kinds.split(' ').map((kind): KindRules => ({
      group,
      kind,
      otherwise: 'Progressing',
      pauses: [],
      isObservedByCondition: false,
      ...set,
    }));
  });
}
