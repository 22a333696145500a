/** The assertion of the house rules: it fails with a list of all breaches of a rule. */
import assert from 'node:assert/strict';

export function assertNone(breaches: readonly string[], rule: string): void {
  assert.equal(breaches.length, 0, `${rule}\n  ${breaches.join('\n  ')}`);
}
