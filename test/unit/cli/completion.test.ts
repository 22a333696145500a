/** The scripts with which shells complete the command line. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { completionScript, type CommandWords } from '../../../src/cli/completion.ts';
import { readChoice } from '../../../src/cli/application-name.ts';

const COMMANDS: readonly CommandWords[] = [
  { name: 'get', description: "show the team's Applications", flags: ['--watch', '--output'], takesNames: true },
  { name: 'crd', description: 'print the definition', flags: [], takesNames: false },
];

/** The words that bash offers at the end of a line. */
function offers(line: readonly string[]): string[] {
  const words = line.map((word) => `'${word}'`).join(' ');
  const script = [
    'tautline() { echo application.tautline.dev/shop; }',
    completionScript('bash', COMMANDS),
    `COMP_WORDS=(tautline ${words}); COMP_CWORD=${line.length}; _tautline; printf '%s\\n' "\${COMPREPLY[@]}"`,
  ].join('\n');
  const { stdout, stderr } = spawnSync('bash', ['-c', script], { encoding: 'utf8' });
  assert.equal(stderr, '');
  return stdout.split('\n').filter((word) => word !== '');
}

test('bash completes commands, flags, and names of Applications', () => {
  assert.deepEqual(offers(['g']), ['get']);
  assert.deepEqual(offers(['get', '--w']), ['--watch']);
  assert.deepEqual(offers(['get', 'app']), ['application.tautline.dev/shop']);
  assert.deepEqual(offers(['crd', '']), ['--help']);
});

test('zsh runs the completion of bash, and fish gets one line for each command and flag', () => {
  assert.match(completionScript('zsh', COMMANDS), /^autoload -U \+X bashcompinit && bashcompinit\n_tautline\(\)/);
  const fish = completionScript('fish', COMMANDS).split('\n');
  assert.ok(
    fish.includes("complete -c tautline -f -n __fish_use_subcommand -a get -d 'show the team\\'s Applications'"),
  );
  assert.ok(fish.includes("complete -c tautline -n '__fish_seen_subcommand_from get' -l watch"));
});

test('names and --all exclude each other, and one of them is needed', () => {
  assert.deepEqual(readChoice({ names: ['shop', 'shop'], all: false }), { ok: true, names: ['shop'] });
  assert.deepEqual(readChoice({ names: [], all: true }), { ok: true, names: [] });
  assert.equal(readChoice({ names: [], all: false }).ok, false);
  assert.equal(readChoice({ names: ['shop'], all: true }).ok, false);
});
