/**
 * All outputs of the agent, as texts by name, to be searched for secrets. A new output needs a line in SURFACES.
 * `tautline render` is left out: it prints Secrets as kustomize does, by design.
 *
 * Invariant: a canary is found in every form in which it could leak: plain, in a URL, in JSON, and in base64 within any
 * text around it, encoded once and twice.
 */
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import type { RunningAgent } from '../../support/agent.ts';
import type { World } from '../../support/world.ts';
import { builtFile } from '../../support/built-program.ts';

export interface Watched {
  readonly world: World;
  readonly agent: RunningAgent;
  readonly dataDir: string;
  /** `namespace/name` of every Application. */
  readonly applications: readonly string[];
}

async function textOf(answer: Promise<Response>): Promise<string> {
  return (await answer).text();
}

type Surface = (watched: Watched) => Promise<string> | string;

export const SURFACES: Readonly<Record<string, Surface>> = {
  log: ({ agent }) => JSON.stringify(agent.log),
  'standard error': ({ agent }) => `(${agent.stderr()})`,
  Applications: async ({ world }) => JSON.stringify(await world.read('/apis/tautline.dev/v1alpha1/applications')),
  Events: async ({ world }) => JSON.stringify(await world.read('/apis/events.k8s.io/v1/events')),
  'kubectl describe': async ({ world }) => (await world.plane.kubectl(['describe', 'tla', '-A'])).stdout,
  metrics: ({ agent }) => get(`${agent.metricsUrl}/metrics`),
  healthz: ({ agent }) => get(`${agent.probesUrl}/healthz`),
  readyz: ({ agent }) => get(`${agent.probesUrl}/readyz`),
  'API, list': ({ agent }) => textOf(agent.readApi('/applications')),
  'API, details': async ({ agent, applications }) =>
    (await Promise.all(applications.map((key) => textOf(agent.readApi(`/applications/${key}`))))).join('\n'),
  'tautline crd': () => commandLine('crd'),
  'tautline agent --help': () => commandLine('agent', '--help'),
  'tautline get': ({ world }) => commandLine('get', '-A', '-o', 'yaml', '--kubeconfig', world.plane.kubeconfig),
  // Only for the newest Application, since each run fetches the repository.
  'tautline diff': ({ world, applications }) => {
    const [namespace = '', name = ''] = applications.at(-1)?.split('/') ?? [];
    return commandLine('diff', name, '-n', namespace, '--kubeconfig', world.plane.kubeconfig);
  },
  'tautline diff -o patch': ({ world, applications }) => {
    const [namespace = '', name = ''] = applications.at(-1)?.split('/') ?? [];
    return commandLine('diff', name, '-n', namespace, '-o', 'patch', '--kubeconfig', world.plane.kubeconfig);
  },
  'names of stored files': async ({ dataDir }) => (await filesBelow(dataDir)).join('\n'),
  'content of stored files': async ({ dataDir }) => {
    // A pack is the repository itself, with the Secrets in it.
    const files = (await filesBelow(dataDir)).filter((name) => !name.endsWith('.pack'));
    // A file that is removed between the listing and the reading is skipped.
    const read = (name: string): Promise<string> => readFile(join(dataDir, name), 'latin1').catch(() => '');
    return (await Promise.all(files.map(read))).join('\n');
  },
};

/** One text for every find: `<form> in <surface>`. */
export async function findAll(canaries: Iterable<string>, watched: Watched): Promise<string[]> {
  const forms = [...canaries].flatMap(formsOf);
  const finds: string[] = [];
  for (const [name, read] of Object.entries(SURFACES)) {
    const text = await read(watched);
    if (text === '') finds.push(`nothing at all in ${name}`);
    finds.push(...forms.filter((form) => text.includes(form)).map((form) => `${form} in ${name}`));
  }
  return finds;
}

export function formsOf(canary: string): string[] {
  const once = base64Forms(canary);
  const url = encodeURIComponent(canary);
  return [canary, url, url.replace(/%../g, (code) => code.toLowerCase()), ...once, ...once.flatMap(base64Forms)];
}

/** Parts that base64 of any text with this text in it must hold: one for each offset in a group of three bytes. */
function base64Forms(text: string): string[] {
  return [0, 1, 2].map((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), Buffer.from(text)])
      .toString('base64')
      .replace(/=+$/, '');
    const wholeChars = Math.floor(((offset + Buffer.byteLength(text)) * 8) / 6);
    return encoded.slice(Math.ceil((offset * 8) / 6), wholeChars);
  });
}

async function get(url: string): Promise<string> {
  return (await fetch(url)).text();
}

async function commandLine(...args: string[]): Promise<string> {
  const run = promisify(execFile)(process.execPath, [builtFile('cli.js'), ...args]);
  // A failure is an output too, and `diff` ends with code 1 when there is a difference.
  const { stdout, stderr } = await run.catch((error: unknown) => error as { stdout: string; stderr: string });
  return stdout + stderr;
}

async function filesBelow(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => relative(dir, join(parentPath, name)));
}
