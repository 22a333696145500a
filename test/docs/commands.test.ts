/**
 * Runs every command of the pages for users in order, on a real control plane with the agent of the chart. Commands
 * that are not run are listed here with the reason.
 */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { stringify } from 'yaml';
import { prepare, useStarted } from '../support/use-world.ts';
import { ARGO_CD, FLUX, MANIFEST, type ForeignTool } from './foreign-tools.ts';
import { blocksOf, readPage } from './page.ts';
import { startReader, SYSTEM, type FollowOptions } from './reader.ts';

const reader = useStarted('the reader', startReader);
prepare(async () => {
  await reader.sh(`helm install tautline charts/tautline --namespace ${SYSTEM} --create-namespace`);
  await reader.startAgent();
});

/** Pages whose commands are not run here, with the tests that run them, or the reason. */
const TESTED_ELSEWHERE: Readonly<Record<string, string>> = {
  'README.md': 'readme-install.test.ts; the demo has its own test in test/journey',
  'CONTRIBUTING.md': 'npm scripts for people who change the code',
  'docs/install.md': 'test/chart/install.test.ts',
};

/** The first words of the commands in `console` blocks, which no test runs. */
const UNTESTED: Readonly<Record<string, readonly string[]>> = {
  // They need a container engine, do not end, remove everything, or install a package globally.
  'docs/install.md': ['docker', 'docker', 'kubectl', 'curl', 'kubectl', 'helm', 'kubectl', 'npm', 'npm', 'kubectl'],
  // A watch does not end, nothing is held, there is no branch; jq need not be installed, and there are no folders to
  // render. test/cluster/cli and test/unit/cli have tests of all of them.
  'docs/cli.md': Array<string>(11).fill('tautline'),
  // The Application has no history yet; test/cluster/rollback has tests of both commands.
  'docs/rollback.md': ['tautline', 'tautline', 'tautline'],
  // The key is for a server of ssh; test/cluster/credentials has tests of deploy keys.
  'docs/private-repositories.md': ['kubectl', 'umask', 'ssh-keygen', 'ssh-keyscan', 'ssh-keygen', 'kubectl', 'rm'],
  // There are no folders to render; test/unit/cli/render.test.ts has tests of the flags.
  'docs/render-options.md': ['tautline', 'tautline'],
  // Nothing is held; test/cluster/cli/everyday.test.ts confirms a prune.
  'docs/spec/application.md': ['tautline'],
  // They need a container engine.
  'docs/local-cluster.md': [
    ...['docker', 'kind', 'kind', 'k3d', 'k3d', 'minikube', 'minikube'],
    ...['helm', 'kubectl', 'kind', 'k3d', 'minikube'],
  ],
  // There is no release to go back to; test/chart/install.test.ts has tests of upgrades.
  'docs/upgrades.md': ['helm'],
  // Simulated Pods have no log.
  'docs/troubleshooting.md': ['kubectl'],
};

const CONFIG_MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n  greeting: hello\n';
const DEPLOYMENT = stringify(MANIFEST);

interface Prepared extends FollowOptions {
  /** Runs after the last command of the page. */
  readonly check?: () => Promise<void>;
}

/** Prepares cluster and repositories before the commands of a page are run. */
const PAGES: Readonly<Record<string, () => Promise<Prepared>>> = {
  'docs/first-application.md': async () => {
    await reader.repository('team/shop');
    return {};
  },
  'docs/private-repositories.md': async () => {
    await commit('team/private', { 'settings.yaml': CONFIG_MAP });
    const header = `Basic ${Buffer.from('git:paste-the-token-here').toString('base64')}`;
    reader.git.onRequest = ({ path, headers }) =>
      path.startsWith('/team/private.git') && headers.authorization !== header
        ? { status: 401, headers: { 'www-authenticate': 'Basic realm="git"' } }
        : undefined;
    await makeTenant('shop');
    return {};
  },
  'docs/secrets.md': async () => {
    await commit('team/sealed', { 'README.md': 'sealed' });
    await makeTenant('shop');
    const directory = await mkdtemp(join(tmpdir(), 'tautline-sealed-'));
    await reader.sh(`git clone --quiet https://git.example.com/team/sealed.git '${directory}'`);
    return { directory, check: () => rm(directory, { recursive: true, force: true }) };
  },
  'docs/tenants.md': async () => {
    await commit('team-a/shop', { 'web.yaml': DEPLOYMENT });
    return {};
  },
  'docs/troubleshooting.md': async () => {
    await commit('troubled', { 'settings.yaml': CONFIG_MAP });
    await makeTenant('shop');
    await declare('shop', { repository: 'troubled', path: '.' });
    await reader.sh('tautline wait shop -n shop');
    return {};
  },
  'docs/webhooks.md': async () => ({ directory: reader.webhookSecrets }),
  'docs/coming-from-argocd.md': () => prepareMove(ARGO_CD),
  'docs/coming-from-flux.md': () => prepareMove(FLUX),
  'docs/cli.md': async () => {
    const files = { 'web.yaml': DEPLOYMENT, 'settings.yaml': CONFIG_MAP };
    const id = await commit('cli', {
      ...prefixed('deploy/prod', files),
      'web/web.yaml': CONFIG_MAP.replace('settings', 'web'),
    });
    await makeTenant('shop');
    await declare('shop', { repository: 'cli', path: 'deploy/prod' });
    await declare('web', { repository: 'cli', path: 'web' });
    await reader.sh('kubectl config set-context --current --namespace=shop; tautline wait shop web --for=healthy');
    return { files: prefixed('deploy/prod', files), replace: { [COMMIT.slice(0, 12)]: id.slice(0, 12) } };
  },
  'docs/spec/application.md': async () => {
    const id = await commit('spec', { 'settings.yaml': CONFIG_MAP });
    await reader.sh('kubectl create namespace apps');
    await makeTenant('shop');
    await declare('shop', { repository: 'spec', path: '.' });
    await reader.sh('kubectl config set-context --current --namespace=shop; tautline wait shop');
    return { files: { token: 'not-a-token' }, replace: { [COMMIT]: id } };
  },
};

/** The commit id in the text of the pages. */
const COMMIT = '6dcb09b5b57875f334f61aebed695e2e4193db5e';

function prefixed(folder: string, files: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(files).map(([path, text]) => [`${folder}/${path}`, text]));
}

async function commit(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  const repository = await reader.repository(name);
  return repository.commit(files);
}

async function makeTenant(namespace: string): Promise<void> {
  await reader.sh(`kubectl create namespace ${namespace}
kubectl -n ${namespace} create serviceaccount deployer
kubectl -n ${namespace} create rolebinding deployer --clusterrole=admin --serviceaccount=${namespace}:deployer`);
}

async function declare(name: string, { repository, path }: { repository: string; path: string }): Promise<void> {
  const spec = { serviceAccountName: 'deployer', source: { repoURL: `${reader.git.url}/${repository}.git`, path } };
  await apply({
    apiVersion: 'tautline.dev/v1alpha1',
    kind: 'Application',
    metadata: { name, namespace: 'shop' },
    spec,
  });
}

async function apply(object: unknown, manager = 'person'): Promise<void> {
  const args = ['apply', '--server-side', `--field-manager=${manager}`, '-f', '-'];
  const { code, stderr } = await reader.plane.kubectl(args, { input: JSON.stringify(object) });
  assert.equal(code, 0, stderr);
}

/**
 * Applies an object as the other tool does. After the page, the Deployment and its Pods must be the same objects as
 * before, so that nothing was rolled out.
 */
async function prepareMove({ definition, resource, manager, marks }: ForeignTool): Promise<Prepared> {
  await commit(`move-${manager}`, { 'web.yaml': DEPLOYMENT });
  await reader.sh(`kubectl create namespace shop; kubectl create namespace argocd --dry-run=client -o yaml | kubectl apply -f -
kubectl create namespace flux-system --dry-run=client -o yaml | kubectl apply -f -`);
  await apply(definition);
  await reader.sh('kubectl wait --for=condition=Established crd --all --timeout=60s');
  await apply(resource);
  await apply({ ...MANIFEST, metadata: { name: 'web', namespace: 'shop', ...marks } }, manager);
  await reader.sh('kubectl -n shop rollout status deployment/web --timeout=2m');
  const look = `kubectl -n shop get deployments,pods --output=jsonpath='{.items[*].metadata.uid}'`;
  const before = await reader.sh(look);
  return {
    replace: { 'team/shop.git': `move-${manager}.git` },
    async check() {
      assert.equal(await reader.sh(look), before, 'the Deployment or its Pods were replaced');
      const live = await reader.sh('kubectl -n shop get deployment web --output=yaml --show-managed-fields');
      assert.doesNotMatch(live, /argocd|kustomize/);
      assert.match(live, /tautline\.dev\/owner/);
    },
  };
}

/** Removes all Applications, the CRDs of other tools and the namespaces, so that each page starts without them. */
async function removeAll(): Promise<void> {
  await reader.sh(`kubectl delete applications.tautline.dev --all --all-namespaces
kubectl delete crd applications.argoproj.io kustomizations.kustomize.toolkit.fluxcd.io --ignore-not-found
rm -rf "$KUBECACHEDIR"
kubectl config set-context --current --namespace=default
kubectl delete namespace shop team-a apps --ignore-not-found`);
}

function userPages(): string[] {
  const docs = join(import.meta.dirname, '../../docs');
  const pages = readdirSync(docs, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.md'));
  return ['README.md', 'CONTRIBUTING.md', 'examples/README.md', ...pages.map((path) => `docs/${path}`)].sort();
}

test('every page with commands has a test', () => {
  const withCommands = userPages().filter((page) => blocksOf(readPage(page)).some(({ language }) => language === 'sh'));
  assert.deepEqual(
    withCommands.filter((page) => !(page in PAGES) && !(page in TESTED_ELSEWHERE)),
    [],
  );
});

test('every command that is not run is listed in UNTESTED', () => {
  for (const page of userPages()) {
    const blocks = blocksOf(readPage(page)).filter(({ language }) => language === 'console');
    const commands = blocks
      .flatMap(({ text }) => text.replaceAll('\\\n', '').split('\n'))
      .filter((line) => line.trim());
    assert.deepEqual(
      commands.map((line) => line.split(' ')[0]),
      UNTESTED[page] ?? [],
      page,
    );
  }
});

for (const [page, prepare] of Object.entries(PAGES)) {
  test(`every command of ${page} ends with the code that the page names`, async () => {
    try {
      const { check, ...options } = await prepare();
      await reader.follow(readPage(page), options);
      await check?.();
    } finally {
      await removeAll();
    }
  });
}
