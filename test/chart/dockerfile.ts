/** Parses the syntax that our Dockerfile uses: stages, instructions, continued lines and comments. */

export interface Stage {
  /** The base image as written, such as `${RUNTIME_IMAGE}`. */
  readonly base: string;
  readonly instructions: readonly { readonly name: string; readonly text: string }[];
}

export function readDockerfile(text: string): Stage[] {
  const stages: { base: string; instructions: { name: string; text: string }[] }[] = [];
  const lines = text
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .replaceAll(/\\\n\s*/g, ' ')
    .split('\n')
    .filter((line) => line.trim());
  for (const line of lines) {
    const [name = '', ...words] = line.split(' ');
    const rest = words.join(' ').trim();
    if (name === 'FROM') stages.push({ base: words[0] ?? '', instructions: [] });
    else stages.at(-1)?.instructions.push({ name, text: rest });
  }
  return stages;
}
