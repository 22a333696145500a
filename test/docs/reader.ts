/**
 * A reader who follows a page on a real cluster: a shell with `kubectl`, `tautline`, `helm`, `sops` and `git` in its
 * PATH, and an agent with the rights that the chart gives.
 *
 * No image can be pulled in a test, so the Pod of the chart is simulated, and the agent runs from the source tree with
 * the token of the chart's ServiceAccount. The addresses of the pages (`git.example.com`, `hooks.example.com`) are
 * replaced by those of the test's servers.
 */
import assert from 'node:assert/strict';
import { chmod, copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { run, type CommandResult } from '../chart/command.ts';
import { builtFile } from '../support/built-program.ts';
import { writeKubeconfig } from '../chart/kubeconfig.ts';
import { ageKeygenBinary, findPrograms, helmBinary, sopsBinary } from '../control-plane/binaries.ts';
import { startControlPlane, type ControlPlane } from '../control-plane/control-plane.ts';
import { startAgentProcess, type RunningAgent } from '../support/agent.ts';
import { gitEnvironment } from '../support/git-command.ts';
import { createRepository, type TestRepository } from '../support/git-repository.ts';
import { startGitServer, type GitServer } from '../support/git-server.ts';
import { scriptOf } from './page.ts';

const ROOT = join(import.meta.dirname, '../..');
export const SYSTEM = 'tautline-system';

export interface Reader extends AsyncDisposable {
  readonly plane: ControlPlane;
  readonly git: GitServer;
  /** Folder in which the agent looks for the secrets of webhooks. */
  readonly webhookSecrets: string;
  /** Creates an empty repository that accepts pushes. Pages reach it at `https://git.example.com/<name>.git`. */
  repository(name: string): Promise<TestRepository>;
  /** Runs all steps of a page and returns the output. A failure names the line of the block and fails the test. */
  follow(page: string, options?: FollowOptions): Promise<string>;
  /** Runs one command line and returns its output. Fails the test unless the command ends with 0. */
  sh(command: string): Promise<string>;
  /** Starts the agent with the ServiceAccount of the chart, which must be installed, and with its default rights. */
  startAgent(): Promise<RunningAgent>;
}

/** For all commands of a page, so that a command that does not end fails instead of holding up the tests. */
const PAGE_TIMEOUT_MS = 5 * 60_000;

export interface FollowOptions {
  /** Working directory; by default an empty folder. */
  readonly directory?: string;
  /** Files that exist there from the start: text by path. */
  readonly files?: Readonly<Record<string, string>>;
  /** Texts of the page and what replaces them, such as the id of a commit. */
  readonly replace?: Readonly<Record<string, string>>;
}

export async function startReader(): Promise<Reader> {
  const root = await mkdtemp(join(tmpdir(), 'tautline-reader-'));
  const plane = await startControlPlane({ mode: 'full' });
  const git = await startGitServer(join(root, 'git'));
  let agent: RunningAgent | undefined;
  const environment = await layOutShell(root, plane);
  const webhookSecrets = join(root, 'webhooks');
  await mkdir(webhookSecrets);

  const address = (text: string): string =>
    text
      .replaceAll('https://git.example.com', git.url)
      .replaceAll('https://hooks.example.com', agent?.webhookUrl ?? 'http://no-agent.invalid');
  // The script is a file: if bash read it from standard input, commands could consume the rest of it.
  const bash = async (script: string, cwd: string): Promise<CommandResult> => {
    await writeFile(join(root, 'script'), address(script));
    return run('bash', [join(root, 'script')], { cwd, environment, timeoutMs: PAGE_TIMEOUT_MS });
  };
  const follow: Reader['follow'] = async (page, { directory, files = {}, replace = {} } = {}) => {
    const cwd = directory ?? (await mkdtemp(join(root, 'page-')));
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(cwd, path)), { recursive: true });
      await writeFile(join(cwd, path), text);
    }
    const script = Object.entries(replace).reduce((text, [from, to]) => text.replaceAll(from, to), scriptOf(page));
    const { code, stdout, stderr } = await bash(script, cwd);
    const failedBlock = stderr.split('\n').findLast((line) => line.startsWith('--- line'));
    const applications = code === 0 ? '' : (await bash('tautline get -A -o wide', root)).stdout;
    assert.equal(code, 0, `${failedBlock}\n${stdout}\n${stderr}\n${applications}`);
    return stdout;
  };
  return {
    plane,
    git,
    webhookSecrets,
    follow,
    async repository(name) {
      const repository = await createRepository(git, name);
      await repository.git(['config', 'http.receivepack', 'true']);
      return repository;
    },
    async sh(command) {
      const { code, stdout, stderr } = await bash(`set -e -o pipefail\n${command}\n`, ROOT);
      assert.equal(code, 0, `${command}\n${stdout}\n${stderr}`);
      return stdout;
    },
    async startAgent() {
      const kubeconfig = join(root, 'agent-kubeconfig');
      await writeKubeconfig(kubeconfig, plane, await plane.serviceAccountToken(SYSTEM, 'tautline'));
      const flags = [
        '--allow-cross-namespace',
        'false',
        '--webhook-secrets-dir',
        webhookSecrets,
        '--sops',
        await sopsBinary(),
      ];
      agent = await startAgentProcess({ kubeconfig, flags });
      return agent;
    },
    async [Symbol.asyncDispose]() {
      await agent?.[Symbol.asyncDispose]();
      await git.stop();
      await plane.stop();
      await rm(root, { recursive: true, force: true });
    },
  };
}

/** Writes the programs of the reader's PATH. The environment has no settings of the person who runs the tests. */
async function layOutShell(root: string, plane: ControlPlane): Promise<NodeJS.ProcessEnv> {
  const kubectl = (await findPrograms(['kubectl']))('kubectl');
  const programs: Record<string, readonly string[]> = {
    kubectl: [kubectl.command, ...kubectl.args],
    tautline: [process.execPath, builtFile('cli.js')],
    helm: [await helmBinary()],
    sops: [await sopsBinary()],
    'age-keygen': [await ageKeygenBinary()],
  };
  // A copy, since a page may change the current context.
  const kubeconfig = join(root, 'kubeconfig');
  await copyFile(plane.kubeconfig, kubeconfig);
  const bin = join(root, 'bin');
  await mkdir(bin);
  for (const [name, words] of Object.entries(programs)) {
    const command = words.map((word) => `'${word}'`).join(' ');
    await writeFile(join(bin, name), `#!/bin/sh\nexec ${command} "$@"\n`);
    await chmod(join(bin, name), 0o755);
  }
  return {
    ...gitEnvironment(),
    PATH: [bin, process.env['PATH']].join(delimiter),
    HOME: root,
    KUBECONFIG: kubeconfig,
    KUBECACHEDIR: join(root, 'kubectl-cache'),
    KUBECTL_KUBERC: 'false',
    HELM_CACHE_HOME: join(root, 'helm/cache'),
    HELM_CONFIG_HOME: join(root, 'helm/config'),
    HELM_DATA_HOME: join(root, 'helm/data'),
  };
}
