/**
 * Confines a child by means of the Linux kernel (Landlock and a filter of system calls), in addition to Node's
 * permission model: the child cannot open files outside its folders, cannot make sockets and cannot send signals to
 * other processes. The kernel enforces that for native code, too.
 *
 * Neither needs privileges. The program `tautline-landlock` (see landlock/main.go) applies them and then starts Node.
 * It uses what the kernel has: files need Linux 5.13, signals need 6.12; sockets need seccomp filters, or Linux 6.7 for
 * TCP alone.
 */
import { realpathSync } from 'node:fs';
import { dirname } from 'node:path';

export interface Confinement {
  /** Path of `tautline-landlock`. */
  readonly program: string;
}

/** How to start a child: the program, and its arguments before the entry file. */
interface ForkOptions {
  readonly execPath: string;
  readonly execArgv: string[];
}

/** Node itself needs these: shared libraries, the cache of the linker, the settings of OpenSSL, and devices. */
const SYSTEM_PATHS = [
  '/lib',
  '/lib64',
  '/usr/lib',
  '/usr/lib64',
  '/usr/local/lib',
  '/nix/store',
  '/etc/ssl',
  '/etc/ld.so.cache',
  '/dev/null',
  '/dev/random',
  '/dev/urandom',
];

export function confine(
  confinement: Confinement | undefined,
  { nodeFlags, readableDirs }: { readonly nodeFlags: string[]; readonly readableDirs: readonly string[] },
): ForkOptions {
  if (!confinement) return { execPath: process.execPath, execArgv: nodeFlags };
  const node = realpathSync(process.execPath);
  const paths = [...SYSTEM_PATHS, dirname(node), ...readableDirs];
  return { execPath: confinement.program, execArgv: [String(process.pid), ...paths, '--', node, ...nodeFlags] };
}
