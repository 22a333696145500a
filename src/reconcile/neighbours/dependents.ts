/**
 * The reverse of `spec.dependsOn`: wakes the Applications that depend on one when its readiness changes. Its size is
 * that of all dependency lists together, which the schema bounds.
 */
import type { KubeObject } from '../../object/value.ts';
import { dependenciesOf, readinessOf } from './readiness.ts';

export interface Dependents {
  /** Takes note of the stored form of an Application. undefined: it is gone. */
  note(key: string, stored: KubeObject | undefined): void;
}

export function createDependents(wake: (key: string) => void): Dependents {
  const dependencies = new Map<string, readonly string[]>();
  const dependents = new Map<string, Set<string>>();
  /** By Application with dependents: the readiness that they were woken for last. */
  const told = new Map<string, string>();

  /** Returns whether the dependencies have changed. */
  function relate(key: string, next: readonly string[]): boolean {
    const before = dependencies.get(key) ?? [];
    if (before.join(' ') === next.join(' ')) return false;
    for (const other of before) {
      const members = dependents.get(other);
      members?.delete(key);
      if (members?.size !== 0) continue;
      dependents.delete(other);
      told.delete(other);
    }
    dependencies.delete(key);
    if (next.length > 0) dependencies.set(key, next);
    for (const other of next) {
      const members = dependents.get(other);
      if (members) members.add(key);
      else dependents.set(other, new Set([key]));
    }
    return true;
  }

  /** Wakes direct and indirect dependents: a cycle concerns all of its members. */
  function wakeAll(key: string): void {
    const found = new Set<string>();
    const queue = [key];
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      for (const other of dependents.get(next) ?? []) {
        if (found.has(other)) continue;
        found.add(other);
        queue.push(other);
      }
    }
    for (const other of found) wake(other);
  }

  return {
    note(key, stored) {
      if (relate(key, stored ? dependenciesOf(stored) : [])) wakeAll(key);
      const waiting = dependents.get(key);
      if (!waiting) return;
      const readiness = stored ? readinessOf(stored) : '';
      if (told.get(key) === readiness) return;
      told.set(key, readiness);
      for (const other of waiting) wake(other);
    },
  };
}
