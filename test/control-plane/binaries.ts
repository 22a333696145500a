/**
 * Finds the executables of a real control plane, kustomize, helm, sops, a registry, tautline-landlock and the
 * substitution of Flux, for the demo and the tests.
 *
 * The order is: the directory KUBEBUILDER_ASSETS (a variable of many Kubernetes test tools), the cache, a build with Go
 * into the cache. If all fail, an error says what to install. The name of a cached file contains its version or a hash
 * of its sources, so that a change of them never finds an old file.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { exists, goBuild } from './go-build.ts';

const kubernetesVersion = { full: 'v1.36.3', major: '1', minor: '36' };
const kustomizeVersion = 'v5.8.2';
/** The version of helm in the tests and in the image. */
export const HELM_VERSION = 'v4.3.1';
/** The version of sops in the tests and in the image. */
export const SOPS_VERSION = 'v3.13.3';
const ageVersion = 'v1.3.1';
const registryVersion = 'v3.0.0';
const source = join(import.meta.dirname, 'binary');

export type Program =
  'etcd' | 'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler' | 'kubectl' | 'kwok' | 'kwok-stages';

/** How to start one part of the control plane. */
export interface Executable {
  readonly command: string;
  /** Arguments that go before the part's own. */
  readonly args: readonly string[];
  /** Whether the program ends by itself when its standard input ends. */
  readonly isEndedByStandardInput: boolean;
}

export type FindProgram = (program: Program) => Executable;

export interface LookupOptions {
  readonly environment?: NodeJS.ProcessEnv;
  /** Gets each progress line of a build; standard error when absent. */
  readonly progress?: (line: string) => void;
}

/**
 * Finds the executables of `programs`. Those of KUBEBUILDER_ASSETS are used if that directory has all of them, so that
 * etcd, kube-apiserver and kubectl of setup-envtest suffice for the tests that need no others. May build for minutes.
 */
export async function findPrograms(programs: readonly Program[], options: LookupOptions = {}): Promise<FindProgram> {
  const environment = options.environment ?? process.env;
  const assets = environment['KUBEBUILDER_ASSETS'];
  if (assets) {
    const missing: string[] = [];
    for (const program of programs) if (!(await exists(join(assets, program)))) missing.push(program);
    if (missing.length === 0) {
      return (program) => ({ command: join(assets, program), args: [], isEndedByStandardInput: false });
    }
    report(options, `KUBEBUILDER_ASSETS (${assets}) has no ${missing.join(', ')}: using Tautline's own build`);
  }
  const command = await controlPlaneBinary(options);
  return (program) => ({ command, args: [program], isEndedByStandardInput: true });
}

/** Path of the executable that contains every part; its first argument selects the part. May build for minutes. */
export async function controlPlaneBinary(options: LookupOptions = {}): Promise<string> {
  const environment = options.environment ?? process.env;
  const target = join(cacheDirectory(environment), `control-plane-${await sourceKey(source)}`);
  if (await exists(target)) return target;
  const version = 'k8s.io/component-base/version';
  const stamp = `-X ${version}.gitVersion=${kubernetesVersion.full} -X ${version}.gitMajor=${kubernetesVersion.major} -X ${version}.gitMinor=${kubernetesVersion.minor}`;
  await goBuild({
    name: 'control plane',
    target,
    command: (output) => ({
      args: ['build', '-v', '-trimpath', '-ldflags', `-s -w ${stamp}`, '-o', output, '.'],
      cwd: source,
    }),
    remedy:
      'Install Go 1.26 or newer (https://go.dev/dl), or, for tests that need only an API server, set KUBEBUILDER_ASSETS to a ' +
      'directory with etcd, kube-apiserver and kubectl (such as setup-envtest makes).',
    environment,
    progress: (line) => report(options, line),
  });
  return target;
}

/** Path of the kustomize with whose output ours is compared. May build for a minute. */
export function kustomizeBinary(options: LookupOptions = {}): Promise<string> {
  const module = `sigs.k8s.io/kustomize/kustomize/v5@${kustomizeVersion}`;
  return installedBinary({ name: 'kustomize', version: kustomizeVersion, module }, options);
}

/** Path of the helm that renders and installs the chart. May build for some minutes. */
export function helmBinary(options: LookupOptions = {}): Promise<string> {
  const module = `helm.sh/helm/v4/cmd/helm@${HELM_VERSION}`;
  return installedBinary({ name: 'helm', version: HELM_VERSION, module }, options);
}

/** Path of the sops that seals and opens files. May build for some minutes. */
export function sopsBinary(options: LookupOptions = {}): Promise<string> {
  const module = `github.com/getsops/sops/v3/cmd/sops@${SOPS_VERSION}`;
  return installedBinary({ name: 'sops', version: SOPS_VERSION, module }, options);
}

/** Path of the program that makes keys of age. May build for a minute. */
export function ageKeygenBinary(options: LookupOptions = {}): Promise<string> {
  const module = `filippo.io/age/cmd/age-keygen@${ageVersion}`;
  return installedBinary({ name: 'age-keygen', version: ageVersion, module }, options);
}

/** Path of the registry of the CNCF, the reference of the distribution specification. May build for ten minutes. */
export function registryBinary(options: LookupOptions = {}): Promise<string> {
  const module = `github.com/distribution/distribution/v3/cmd/registry@${registryVersion}`;
  return installedBinary({ name: 'registry', version: registryVersion, module }, options);
}

/** Path of the program by which the kernel confines the children of the sandbox. May build for a minute. */
export function landlockBinary(options: LookupOptions = {}): Promise<string> {
  return builtBinary({ name: 'tautline-landlock', folder: '../../src/sandbox/landlock' }, options);
}

/** Path of the program that substitutes variables with the packages of Flux. May build for a minute. */
export function fluxSubstitutionBinary(options: LookupOptions = {}): Promise<string> {
  return builtBinary({ name: 'flux-substitution', folder: '../golden/substitution' }, options);
}

/** Path of the program that judges alerts and dashboards with the packages of Prometheus. May build for minutes. */
export function prometheusJudgeBinary(options: LookupOptions = {}): Promise<string> {
  return builtBinary({ name: 'prometheus-judge', folder: '../chart/prometheus' }, options);
}

interface Built {
  readonly name: string;
  /** The folder of its Go module, relative to that of this file. */
  readonly folder: string;
}

async function builtBinary({ name, folder }: Built, options: LookupOptions): Promise<string> {
  const environment = options.environment ?? process.env;
  const cwd = join(import.meta.dirname, folder);
  const target = join(cacheDirectory(environment), `${name}-${await sourceKey(cwd)}`);
  if (await exists(target)) return target;
  await goBuild({
    name,
    target,
    command: (output) => ({ args: ['build', '-v', '-trimpath', '-ldflags', '-s -w', '-o', output, '.'], cwd }),
    remedy: 'Install Go 1.26 or newer (https://go.dev/dl).',
    environment,
    progress: (line) => report(options, line),
  });
  return target;
}

interface Installed {
  readonly name: string;
  readonly version: string;
  /** Module and version, as an argument of `go install`. */
  readonly module: string;
}

async function installedBinary({ name, version, module }: Installed, options: LookupOptions): Promise<string> {
  const environment = options.environment ?? process.env;
  const assets = environment['KUBEBUILDER_ASSETS'];
  if (assets && (await exists(join(assets, name)))) return join(assets, name);
  const target = join(cacheDirectory(environment), `${name}-${version}-${platform}`, name);
  if (await exists(target)) return target;
  await goBuild({
    name: `${name} ${version}`,
    target,
    command: (output) => ({
      args: ['install', '-v', '-trimpath', '-ldflags', '-s -w', module],
      environment: { GOBIN: dirname(output) },
    }),
    remedy: `Install Go 1.26 or newer (https://go.dev/dl), or put ${name} ${version} into the directory that KUBEBUILDER_ASSETS names.`,
    environment,
    progress: (line) => report(options, line),
  });
  return target;
}

const platform = `${process.platform}-${process.arch}`;

function cacheDirectory(environment: NodeJS.ProcessEnv): string {
  if (environment['TAUTLINE_CACHE']) return environment['TAUTLINE_CACHE'];
  return join(environment['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'tautline');
}

/** Changes with every file of the Go module, so that a program in the cache is never that of other sources. */
export async function sourceKey(folder: string): Promise<string> {
  const hash = createHash('sha256');
  const sources = (await readdir(folder)).filter((name) => name.endsWith('.go')).sort();
  for (const file of ['go.mod', 'go.sum', ...sources]) hash.update(await readFile(join(folder, file))).update('\0');
  return `${hash.digest('hex').slice(0, 16)}-${platform}`;
}

function report(options: LookupOptions, line: string): void {
  if (options.progress) options.progress(line);
  else process.stderr.write(`${line}\n`);
}
