/** Runs the command line as people do: as a process, with a kubeconfig, against a real API server. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { World } from '../../support/world.ts';
import { kubeconfigText } from '../../support/kubeconfig.ts';
import { grant, type Rule } from '../../support/rights.ts';
import { nodeEnvironment } from '../../support/node-environment.ts';
import { builtFile } from '../../support/built-program.ts';

const CLI = builtFile('cli.js');

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly ended: Promise<Ended>;
  /** Resolves once standard error holds the text, or the command has ended. */
  said(text: string): Promise<void>;
}

export function start(kubeconfig: string, args: readonly string[]): Running {
  const env = { ...nodeEnvironment(), KUBECONFIG: kubeconfig, HOME: '/nonexistent' };
  const child = spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env });
  let stdout = '';
  let stderr = '';
  const listeners = new Set<() => void>();
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
    for (const listener of listeners) listener();
  });
  const ended = new Promise<Ended>((resolve) => child.once('close', (code) => resolve({ code, stdout, stderr })));
  return {
    ended,
    async said(text) {
      const heard = new Promise<void>((resolve) => {
        const listener = (): void => {
          if (stderr.includes(text)) resolve();
        };
        listeners.add(listener);
        listener();
      });
      await Promise.race([heard, ended]);
    },
  };
}

/** Runs a command to its end as administrator, in the namespace `apps`. */
export function tautline(world: World, ...args: string[]): Promise<Ended> {
  return start(world.plane.kubeconfig, [...args, '-n', 'apps']).ended;
}

export interface Person extends AsyncDisposable {
  readonly kubeconfig: string;
}

/** A person with no rights but these, in the namespace `apps` and in `namespaces`. */
export async function createPerson(
  world: World,
  name: string,
  { rules, namespaces = [] }: { readonly rules: readonly Rule[]; readonly namespaces?: readonly string[] },
): Promise<Person> {
  const token = await world.plane.serviceAccountToken('people', name);
  for (const namespace of ['apps', ...namespaces]) {
    await grant(world, { namespace, rules, to: { namespace: 'people', name } });
  }
  const dir = await mkdtemp(join(tmpdir(), 'tautline-person-'));
  const kubeconfig = join(dir, 'config');
  const cluster = { server: world.plane.url, 'certificate-authority': world.plane.caFile };
  const text = kubeconfigText({ cluster, user: { token }, namespace: 'apps' });
  await writeFile(kubeconfig, text, { mode: 0o600 });
  return { kubeconfig, [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }) };
}
