/** `tautline completion SHELL`: a script with which a shell completes commands, flags and names of Applications. */
import type { Command } from 'commander';
import { print } from './output.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

export function printCompletion(shell: Shell, program: Command): void {
  print(completionScript(shell, wordsOf(program)));
}

export interface CommandWords {
  readonly name: string;
  readonly description: string;
  readonly flags: readonly string[];
  /** Whether its arguments are names of Applications. */
  readonly takesNames: boolean;
}

/** Also in the order in which the help lists them. */
export function wordsOf(program: Command): CommandWords[] {
  return program.commands.map((command) => ({
    name: command.name(),
    description: command.description(),
    flags: command.options.flatMap(({ long }) => (long ? [long] : [])),
    takesNames: command.registeredArguments.some((argument) => argument.name() === 'name'),
  }));
}

export function completionScript(shell: Shell, commands: readonly CommandWords[]): string {
  return shell === 'fish' ? fishScript(commands) : bashScript(commands, shell === 'zsh');
}

/** zsh runs the completion of bash. */
function bashScript(commands: readonly CommandWords[], isZsh: boolean): string {
  const cases = commands.map(({ name, flags, takesNames }) => {
    const names = takesNames ? ' $(tautline get -o name 2>/dev/null)' : '';
    return `    ${name}) words="${[...flags, '--help'].join(' ')}${names}" ;;`;
  });
  return [
    ...(isZsh ? ['autoload -U +X bashcompinit && bashcompinit'] : []),
    '_tautline() {',
    '  local words current="${COMP_WORDS[COMP_CWORD]}"',
    '  case "${COMP_WORDS[1]}" in',
    ...(cases.length > 0 ? cases : []),
    `    *) words="${commands.map(({ name }) => name).join(' ')} --help --version" ;;`,
    '  esac',
    '  if [ "$COMP_CWORD" -le 1 ]; then',
    `    words="${commands.map(({ name }) => name).join(' ')} --help --version"`,
    '  fi',
    '  COMPREPLY=($(compgen -W "$words" -- "$current"))',
    '}',
    'complete -o default -F _tautline tautline',
    '',
  ].join('\n');
}

function fishScript(commands: readonly CommandWords[]): string {
  const lines = commands.flatMap(({ name, description, flags, takesNames }) => {
    const isUsed = `-n '__fish_seen_subcommand_from ${name}'`;
    return [
      `complete -c tautline -f -n __fish_use_subcommand -a ${name} -d ${quoted(description)}`,
      ...flags.map((flag) => `complete -c tautline ${isUsed} -l ${flag.slice(2)}`),
      ...(takesNames ? [`complete -c tautline -f ${isUsed} -a '(tautline get -o name 2>/dev/null)'`] : []),
    ];
  });
  return `${lines.join('\n')}\n`;
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
