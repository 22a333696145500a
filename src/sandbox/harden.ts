/**
 * Takes from a process of the sandbox what its code does not need: signals to other processes, the network, child
 * processes, and ways to load a module of Node by name. This is the layer inside the process. It stops code that only
 * uses JavaScript; confinement.ts is the layer of the kernel, which also stops native code.
 */
import { registerHooks } from 'node:module';

/** Modules of Node that open connections, start processes or threads, or reach the inspector. */
const FORBIDDEN_MODULES: ReadonlySet<string> = new Set([
  'child_process',
  'cluster',
  'dgram',
  'dns',
  'dns/promises',
  'http',
  'http2',
  'https',
  'inspector',
  'inspector/promises',
  'net',
  'process',
  'repl',
  'tls',
  'vm',
  'wasi',
  'worker_threads',
]);

/** Members of `process` that act on other processes, or that load native code or modules by name. */
const FORBIDDEN_MEMBERS = [
  '_debugEnd',
  '_debugProcess',
  '_kill',
  '_linkedBinding',
  '_rawDebug',
  'binding',
  'dlopen',
  'execve',
  'getBuiltinModule',
  'kill',
  'mainModule',
];

const FORBIDDEN_GLOBALS = ['EventSource', 'WebSocket', 'fetch'];

/** Imports of `module` lead here. */
const RESTRICTED_MODULE = new URL(
  `./restricted-module.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`,
  import.meta.url,
).href;

/** Irreversible. Call it after the last import, and before the first untrusted byte. */
export function hardenProcess(): void {
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const name = specifier.replace(/^node:/, '');
      if (name === 'module') return { url: RESTRICTED_MODULE, shortCircuit: true };
      if (FORBIDDEN_MODULES.has(name)) throw new Error(`the module ${name} is not available in the sandbox`);
      return nextResolve(specifier, context);
    },
  });
  for (const name of FORBIDDEN_MEMBERS) remove(process, name);
  for (const name of FORBIDDEN_GLOBALS) remove(globalThis, name);
}

function remove(owner: object, name: string): void {
  if (!Reflect.deleteProperty(owner, name)) {
    Reflect.defineProperty(owner, name, { value: undefined, writable: false, configurable: false });
  }
}
