/** Input may contain keys such as `__proto__`; none of them may add a member to all objects. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

const ENTRIES: Readonly<Record<string, string>> = {
  child: "await import('./src/child.ts');",
  agent: "void (await import('./src/cli/agent.ts')).runAgent({}, () => new Promise(() => undefined));",
};

for (const [name, start] of Object.entries(ENTRIES)) {
  test(`no key of an input can add a member to all objects of the ${name}`, () => {
    const attempt = "Reflect.set(Object.prototype, 'polluted', 1); console.log(({}).polluted); process.exit();";
    const cwd = new URL('../../../', import.meta.url);
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', `${start}\n${attempt}`], { cwd });
    assert.equal(String(stdout).trim(), 'undefined');
  });
}
