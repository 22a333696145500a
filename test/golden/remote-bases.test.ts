/**
 * Bases by URL are what `kustomize build` makes of them: the same command of git for each form of address, and the same
 * output from a real Git server.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { withLocalEdges, type LocalEdges } from '../../src/cli/local-edges.ts';
import { parseRemoteBase, type RemoteBase } from '../../src/render/kustomize/remote-base.ts';
import { kustomizeBinary } from '../control-plane/binaries.ts';
import { newChance } from '../support/chance.ts';
import { gitEnvironment } from '../support/git-command.ts';
import { startGitServer, type GitServer } from '../support/git-server.ts';
import { createRepository } from '../support/git-repository.ts';
import { ADDRESSES, makeAddress } from './remote-bases/addresses.ts';
import { renderWithBases } from './remote-bases/render-with-bases.ts';

const RANDOM_ADDRESSES = 120;

let kustomize = '';
let root = '';
let server: GitServer;

before(async () => {
  kustomize = await kustomizeBinary();
  root = mkdtempSync(join(tmpdir(), 'tautline-remote-bases-'));
  mkdirSync(join(root, 'bin'));
  // Notes its arguments, one a line, and does nothing. kustomize then names the folder that is not in the clone.
  writeFileSync(join(root, 'bin/git'), '#!/bin/sh\nprintf "%s\\n" "$@" >> "$ARGUMENTS"\n', { mode: 0o755 });
  server = await startGitServer(join(root, 'server'));
});

after(async () => {
  await server.stop();
  rmSync(root, { recursive: true, force: true });
});

interface Built {
  readonly isBuilt: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

function build(folder: string, env: NodeJS.ProcessEnv): Promise<Built> {
  return new Promise((resolve) => {
    execFile(kustomize, ['build', folder], { env }, (error, stdout, stderr) => {
      resolve({ isBuilt: error === null, stdout, stderr });
    });
  });
}

/** The repository, revision and folder that kustomize takes from an address; undefined: it calls no git. */
async function readByKustomize(address: string): Promise<RemoteBase | undefined> {
  const folder = mkdtempSync(join(root, 'address-'));
  writeFileSync(join(folder, 'kustomization.yaml'), JSON.stringify({ components: [address] }));
  const log = join(folder, 'arguments');
  const { stderr } = await build(folder, { PATH: join(root, 'bin'), HOME: folder, TMPDIR: folder, ARGUMENTS: log });
  if (!existsSync(log)) return undefined;
  const [, fetched = '', ref = ''] = /^fetch\n--depth=1\n(.*)\n(.*)$/m.exec(readFileSync(log, 'utf8')) ?? [];
  const path = /\/kustomize-\d+\/?([^']*)'/.exec(stderr)?.[1];
  assert.ok(path !== undefined, stderr);
  return { repoURL: fetched, revision: ref === 'HEAD' ? '' : ref, path };
}

test(`${ADDRESSES.length} forms of addresses name what they name for kustomize`, async () => {
  for (const address of ADDRESSES) {
    assert.deepEqual(parseRemoteBase(address), await readByKustomize(address), address);
  }
});

test(`${RANDOM_ADDRESSES} random addresses name what they name for kustomize`, async () => {
  const chance = newChance(20260);
  for (let count = 0; count < RANDOM_ADDRESSES; count += 1) {
    const address = makeAddress(chance);
    assert.deepEqual(parseRemoteBase(address), await readByKustomize(address), address);
  }
});

const MAP = (name: string): string => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {k: v}\n`;

/** Files of the repository `org/bases`, whose tag v1 lacks the change of its branch main. */
const BASES = {
  'web/kustomization.yaml': 'resources: [../shared, web.yaml]\nconfigMapGenerator: [{name: made, literals: [a=b]}]\n',
  'web/web.yaml': MAP('web'),
  'shared/kustomization.yaml': 'resources: [shared.yaml]\nnamePrefix: s-\n',
  'shared/shared.yaml': MAP('shared'),
  'part/kustomization.yaml': 'kind: Component\ncommonAnnotations: {part: "1"}\n',
  'kustomization.yaml': 'resources: [web]\n',
  'outside/kustomization.yaml': 'resources: [../../other]\n',
  'empty/note.txt': 'no kustomization\n',
};

/** Kustomizations with `SERVER` for the address of the server, and `COMMIT` for the commit of the tag v1. */
const BUILDS: readonly (readonly [string, string])[] = [
  ['a tag', 'resources: ["SERVER/org/bases.git//web?ref=v1"]'],
  ['an annotated tag', 'resources: ["SERVER/org/bases.git//web?ref=noted"]'],
  ['a branch', 'resources: ["SERVER/org/bases.git/web?ref=main"]'],
  ['a branch with a slash in its name', 'resources: ["SERVER/org/bases.git//web?ref=feature/x"]'],
  ['a whole reference', 'resources: ["SERVER/org/bases.git//web?ref=refs/tags/v1"]'],
  ['a commit', 'resources: ["SERVER/org/bases.git//web?ref=COMMIT"]'],
  ['no revision', 'resources: ["SERVER/org/bases.git//web"]'],
  ['the root, without a path', 'resources: ["SERVER/org/bases.git?ref=v1"]'],
  ['an address without .git', 'resources: ["SERVER/org/plain//web?ref=v1"]'],
  ['two segments without a mark', 'resources: ["SERVER/org/plain/web?ref=v1"]'],
  ['git:: and other parameters', 'resources: ["git::SERVER/org/bases.git//web?timeout=60&ref=v1&submodules=false"]'],
  ['version for ref', 'resources: ["SERVER/org/bases.git//web?version=v1"]'],
  ['the field bases', 'bases: ["SERVER/org/bases.git//web?ref=v1"]'],
  ['a component', 'resources: ["SERVER/org/bases.git//web?ref=v1"]\ncomponents: ["SERVER/org/bases.git//part?ref=v1"]'],
  ['one base at two revisions', 'resources: ["SERVER/org/bases.git//web?ref=v1", next]'],
  ['a base that names a base', 'resources: ["SERVER/org/nested.git//top?ref=main"]\nnameSuffix: -x'],
  ['the form of GitHub', 'resources: ["github.com/org/bases/web?ref=v1"]'],
  ['the form of scp', 'resources: ["git@git.example.com:org/bases.git//web?ref=v1"]'],
  ['ssh', 'resources: ["ssh://git@git.example.com/org/bases.git//web?ref=v1"]'],
  ['origins', 'resources: ["SERVER/org/bases.git//web?ref=v1", local.yaml, next]\nbuildMetadata: [originAnnotations]'],
  [
    'origins without a revision',
    'resources: ["SERVER/org/bases.git"]\nbuildMetadata: [originAnnotations, transformerAnnotations]\nnamePrefix: a-',
  ],
  ['a folder that is missing', 'resources: ["SERVER/org/bases.git//none?ref=v1"]'],
  ['a file', 'resources: ["SERVER/org/bases.git//web/web.yaml?ref=v1"]'],
  ['a folder without a kustomization', 'resources: ["SERVER/org/bases.git//empty?ref=v1"]'],
  ['a revision that is missing', 'resources: ["SERVER/org/bases.git//web?ref=v9"]'],
  ['a repository that is missing', 'resources: ["SERVER/org/none.git//web?ref=v1"]'],
  ['a base that leaves its repository', 'resources: ["SERVER/org/bases.git//outside?ref=v1"]'],
  ['a component under resources', 'resources: ["SERVER/org/bases.git//part?ref=v1"]'],
  ['a base under components', 'components: ["SERVER/org/bases.git//web?ref=v1"]'],
  ['bases in a circle', 'resources: ["SERVER/org/nested.git//circle?ref=main"]'],
];

/** Addresses of other servers that git reads from the test's server. */
const INSTEAD = ['https://github.com/', 'git@git.example.com:', 'ssh://git@git.example.com/'];

async function makeRepositories(): Promise<string> {
  const bases = await createRepository(server, 'org/bases');
  const commit = await bases.commit(BASES);
  await bases.tag('v1');
  await bases.tag('noted', { message: 'a note' });
  await bases.commit({ 'web/web.yaml': MAP('web').replace('k: v', 'k: next') });
  await bases.branch('feature/x');
  await bases.git(['clone', '--quiet', '--bare', '.', join(server.root, 'org/plain')]);
  const nested = await createRepository(server, 'org/nested');
  await nested.commit({
    'top/kustomization.yaml': `resources: ["${server.url}/org/bases.git//web?ref=v1"]\nnamePrefix: n-\n`,
    'circle/kustomization.yaml': `resources: ["${server.url}/org/nested.git//back?ref=main"]\n`,
    'back/kustomization.yaml': `resources: ["${server.url}/org/nested.git//circle?ref=main"]\n`,
  });
  return commit;
}

test('bases in other repositories are built as by kustomize', async (context) => {
  const commit = await makeRepositories();
  const instead = INSTEAD.flatMap((from, index): [string, string][] => [
    [`GIT_CONFIG_KEY_${index}`, `url.${server.url}/.insteadOf`],
    [`GIT_CONFIG_VALUE_${index}`, from],
  ]);
  const env = { ...gitEnvironment(), GIT_CONFIG_COUNT: String(INSTEAD.length), ...Object.fromEntries(instead) };
  const locate = (repoURL: string): string => {
    const from = INSTEAD.find((one) => repoURL.startsWith(one));
    return from === undefined ? repoURL : `${server.url}/${repoURL.slice(from.length)}`;
  };
  const check = async (edges: LocalEdges, text: string): Promise<void> => {
    const folder = mkdtempSync(join(root, 'build-'));
    mkdirSync(join(folder, 'next'));
    const write = (path: string, content: string): void => {
      writeFileSync(join(folder, path), content.replaceAll('SERVER', server.url).replaceAll('COMMIT', commit));
    };
    write('kustomization.yaml', `${text}\n`);
    write('local.yaml', MAP('local'));
    write('next/kustomization.yaml', 'resources: ["SERVER/org/bases.git//web?ref=main"]\nnamePrefix: next-\n');
    const [theirs, ours] = await Promise.all([build(folder, env), renderWithBases(edges, folder, locate)]);
    const details = `${theirs.stderr}\n${JSON.stringify(ours.problems)}`;
    assert.equal(ours.problems.length === 0, theirs.isBuilt, details);
    if (theirs.isBuilt) assert.equal(ours.text, theirs.stdout);
  };
  await withLocalEdges({ helm: 'no-helm', sops: undefined }, async (edges) => {
    for (const [name, text] of BUILDS) await context.test(name, () => check(edges, text));
  });
});
