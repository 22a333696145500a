/** Starts `tautline agent` as a process of its own, as people run it, for tests, demo and bench. */
import { spawn, type ChildProcess } from 'node:child_process';
import { chown, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { builtFile } from './built-program.ts';
import { nodeEnvironment } from './node-environment.ts';

export interface AgentOptions {
  readonly kubeconfig: string;
  /** Further flags, such as `['--log-level', 'debug']`. */
  readonly flags?: readonly string[];
  /** The file that Node starts. Default: the built `cli.js`. */
  readonly entry?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Number of the user and group that the agent runs as; only root may name another. */
  readonly user?: number;
}

export interface RunningAgent extends AsyncDisposable {
  readonly apiUrl: string;
  readonly probesUrl: string;
  readonly metricsUrl: string;
  readonly webhookUrl: string;
  /** GET of a path below `/api/v1` of the status API, with the token of the agent's own kubeconfig. */
  readApi(path: string): Promise<Response>;
  readonly process: ChildProcess;
  /** All lines of its log up to now, parsed. */
  readonly log: readonly Record<string, unknown>[];
  readonly stderr: () => string;
  /** Resolves with the exit code when the process ends. */
  readonly ended: Promise<number | null>;
  /** Sends SIGTERM and resolves with the exit code when the agent has drained. */
  stop(): Promise<number | null>;
  /** Sends SIGKILL and resolves when the process is gone. */
  kill(): Promise<void>;
}

/**
 * Loaded into the agent: it ends with the process that started it, also if that one is killed. Standard input is a pipe
 * whose other end only that process holds.
 */
const END_WITH_PARENT =
  'import { isMainThread } from "node:worker_threads";' +
  'if (isMainThread && process.argv[2] === "agent") {' +
  'process.stdin.on("end", () => process.kill(process.pid, "SIGKILL")).on("error", () => {}).resume().unref(); }';

/** In the environment, which the agent hands to no process of its own. */
function nodeOptions({ environment }: Pick<AgentOptions, 'environment'>): string {
  const own = `--import=data:text/javascript,${encodeURIComponent(END_WITH_PARENT)}`;
  return [own, environment?.['NODE_OPTIONS']].filter(Boolean).join(' ');
}

/** Rejects, with the agent's standard error, if the agent ends before it serves. */
export async function startAgentProcess(options: AgentOptions): Promise<RunningAgent> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tautline-agent-'));
  const flags = ['--kubeconfig', options.kubeconfig, '--data-dir', dataDir, '--instance', 'test'];
  // Most tests are not about rights; a later flag of the test wins.
  flags.push('--allow-cross-namespace', 'true');
  // The Git servers of tests, demo and bench are on loopback, which the agent denies by default.
  flags.push('--source-deny', 'link-local');
  const listeners = ['--api-address', '127.0.0.1:0', '--probes-address', '127.0.0.1:0'];
  listeners.push('--metrics-address', '127.0.0.1:0', '--webhook-address', '127.0.0.1:0');
  const { user } = options;
  if (user !== undefined) await chown(dataDir, user, user);
  const child = spawn(
    process.execPath,
    [options.entry ?? builtFile('cli.js'), 'agent', ...flags, ...listeners, ...(options.flags ?? [])],
    {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...nodeEnvironment(), ...options.environment, NODE_OPTIONS: nodeOptions(options) },
      ...(user !== undefined && { uid: user, gid: user }),
    },
  );
  child.stdin.on('error', () => undefined);
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const log: Record<string, unknown>[] = [];
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
  const started = new Promise<Record<'api' | 'probes' | 'metrics' | 'webhooks', string>>((resolve) => {
    readLines(child, (line) => {
      const entry = JSON.parse(line) as Record<string, unknown>;
      log.push(entry);
      if (entry['msg'] !== 'tautline started') return;
      const { api, probes, metrics, webhooks } = entry;
      resolve({ api: String(api), probes: String(probes), metrics: String(metrics), webhooks: String(webhooks) });
    });
  });
  const first = await Promise.race([started, ended]);
  const removeData = () => rm(dataDir, { recursive: true, force: true });
  if (first === null || typeof first === 'number') {
    await removeData();
    throw new Error(`the agent ended with code ${first}: ${stderr}`);
  }
  const end = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> => {
    child.kill(signal);
    const code = await ended;
    await removeData();
    return code;
  };
  return {
    apiUrl: first.api,
    probesUrl: first.probes,
    metricsUrl: first.metrics,
    webhookUrl: first.webhooks,
    async readApi(path) {
      const config = parse(await readFile(options.kubeconfig, 'utf8')) as { users: { user: { token: string } }[] };
      const headers = { authorization: `Bearer ${config.users[0]?.user.token}` };
      return fetch(`${first.api}/api/v1${path}`, { headers });
    },
    process: child,
    log,
    stderr: () => stderr,
    ended,
    stop: () => end('SIGTERM'),
    kill: async () => void (await end('SIGKILL')),
    [Symbol.asyncDispose]: async () => void (await end('SIGKILL')),
  };
}

function readLines(child: ChildProcess, onLine: (line: string) => void): void {
  let rest = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line) onLine(line);
  });
}
