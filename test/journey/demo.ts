/**
 * `npm run demo`: Tautline on one machine with real parts only: an API server, a Git server, the agent, and the
 * Applications of examples/. `--once` runs the steps of demo-story.ts and ends. `--cluster` uses the cluster of
 * KUBECONFIG instead of a new one.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { printCrd } from '../../src/application/crd.ts';
import { startAgentProcess, type RunningAgent } from '../support/agent.ts';
import { createRepository, type TestRepository } from '../support/git-repository.ts';
import { startGitServer } from '../support/git-server.ts';
import { openCluster, type DemoCluster } from './demo-cluster.ts';
import { APPLICATIONS, declarations, NAMESPACE, readExamples } from './demo-examples.ts';
import { tellStory } from './demo-story.ts';

export interface DemoScene {
  readonly cluster: DemoCluster;
  readonly repository: TestRepository;
  readonly agent: RunningAgent;
}

async function main(): Promise<number> {
  const values = readFlags();
  if (!values) return 2;
  await using stack = new AsyncDisposableStack();
  const interrupted = new Promise<void>((resolve) => process.once('SIGINT', resolve).once('SIGTERM', resolve));
  say('starting the cluster (the first start builds it, which takes some minutes)');
  const cluster = stack.use(await openCluster({ isExternal: values.cluster === true }));
  say(`cluster        KUBECONFIG=${cluster.kubeconfig}`);
  const root = await mkdtemp(join(tmpdir(), 'tautline-demo-'));
  stack.defer(() => rm(root, { recursive: true, force: true }));
  const git = stack.use(await startGitServer(root));
  const repository = await createRepository(git, 'examples');
  await repository.commit(await readExamples());
  // People push to the repository of the demo; Git's server takes no push by default.
  await repository.git(['config', 'http.receivepack', 'true']);
  say(`repository     git clone ${repository.url}`);
  await cluster.apply(printCrd());
  await cluster.kubectl(['wait', '--for=condition=Established', '--timeout=60s', 'crd/applications.tautline.dev']);
  const agent = stack.use(
    await startAgentProcess({ kubeconfig: cluster.kubeconfig, flags: ['--anonymous-read', 'names'] }),
  );
  say(`status API     curl ${agent.apiUrl}/api/v1/applications`);
  say(`metrics        curl ${agent.metricsUrl}/metrics\n`);
  const scene = { cluster, repository, agent };
  if (values.once) return await tellStory(scene, await declarations(repository));
  const stopShowing = showLog(agent);
  for (const declaration of await declarations(repository)) await cluster.apply(declaration);
  say(
    `declared ${APPLICATIONS.join(' and ')} in namespace ${NAMESPACE}; the log of the agent follows, Ctrl-C ends the demo`,
  );
  say(
    `try            ${cluster.kubectlCommand} --kubeconfig ${cluster.kubeconfig} -n shop scale deployment web --replicas 5`,
  );
  say(`or             git clone ${repository.url}, edit a file, commit and push\n`);
  await Promise.race([interrupted, agent.ended]);
  stopShowing();
  if (values.cluster) await removeApplications(cluster);
  return agent.process.exitCode === null ? 0 : 1;
}

const USAGE = `usage: npm run demo -- [--once] [--cluster]
  --once      run the steps of the demo and end
  --cluster   use the cluster of KUBECONFIG instead of a new one`;

/** undefined: the command line is wrong, and the usage is printed. */
function readFlags(): { readonly once?: boolean; readonly cluster?: boolean } | undefined {
  try {
    return parseArgs({ options: { once: { type: 'boolean' }, cluster: { type: 'boolean' } } }).values;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message.split('. ')[0] : 'the command line is wrong'}\n${USAGE}`);
    return undefined;
  }
}

/** The cluster stays, and without an agent the finalizers of the Applications would hold them and their namespace. */
async function removeApplications(cluster: DemoCluster): Promise<void> {
  const names = ['delete', 'applications.tautline.dev', ...APPLICATIONS, '-n', NAMESPACE, '--ignore-not-found'];
  say('removing the Applications and their objects; Ctrl-C leaves them');
  const left = new Promise<'left'>((resolve) => process.once('SIGINT', () => resolve('left')));
  const done = await Promise.race([
    left,
    cluster.kubectl([...names, '--timeout=60s']).then(
      () => 'removed' as const,
      () => 'left' as const,
    ),
  ]);
  if (done === 'removed') return;
  say('the Applications are still there; these commands remove them and keep their objects:');
  for (const name of APPLICATIONS) {
    const patch = `'{"metadata":{"finalizers":null}}'`;
    say(`  kubectl -n ${NAMESPACE} patch applications.tautline.dev ${name} --type=merge -p ${patch}`);
    say(`  kubectl -n ${NAMESPACE} delete applications.tautline.dev ${name}`);
  }
}

/** Prints each log record of the agent as one readable line. Returns a function that stops this. */
function showLog(agent: RunningAgent): () => void {
  let printed = 0;
  const timer = setInterval(() => {
    for (; printed < agent.log.length; printed++) {
      const { time, level, msg, application, reason, detail } = agent.log[printed] ?? {};
      const text = application ? `${application}  ${reason ?? msg}: ${detail ?? ''}` : msg;
      say(`${String(time).slice(11, 19)} ${level === 'info' ? ' ' : '!'} ${text}`);
    }
  }, 100);
  return () => clearInterval(timer);
}

function say(line: string): void {
  console.log(line);
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`demo: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
