/**
 * Stands in for the module `module` of Node in a process of the sandbox, for packages that are imported after its walls
 * were closed (see harden.ts). A package that calls `createRequire` gets the modules that compute, and no others.
 */
import * as buffer from 'node:buffer';
import * as crypto from 'node:crypto';
import * as os from 'node:os';
import * as zlib from 'node:zlib';

const MODULES: Readonly<Record<string, unknown>> = { buffer, crypto, os, zlib };

/** The address is not used: no file can be loaded. */
export function createRequire(_from: string | URL): (name: string) => unknown {
  return (name) => {
    const bare = name.replace(/^node:/, '');
    if (Object.hasOwn(MODULES, bare)) return MODULES[bare];
    throw new Error(`the module ${name} is not available in the sandbox`);
  };
}
