/**
 * Finds out which walls around a child of the sandbox the kernel really holds. The child tries before it is hardened,
 * or with references that it took before (see harden.ts), so the answer is about the kernel and not about Node.
 */
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';

/** True: the kernel refuses it. */
export interface Walls {
  /** TCP connections to anything. */
  readonly isNetworkClosed: boolean;
  /** UDP. */
  readonly areDatagramsClosed: boolean;
  /** Signals to the parent. */
  readonly isSignallingClosed: boolean;
}

/** The job `checkWalls`. Call this before `hardenProcess`. */
export function createWallCheck(): () => Promise<Uint8Array> {
  const isSignallingClosed = isRefused(() => process.kill(process.ppid, 0));
  return async () => {
    const walls: Walls = {
      isNetworkClosed: await isNetworkClosed(),
      areDatagramsClosed: await areDatagramsClosed(),
      isSignallingClosed,
    };
    return Buffer.from(JSON.stringify(walls));
  };
}

export function decodeWalls(bytes: Uint8Array): Walls {
  return JSON.parse(Buffer.from(bytes).toString()) as Walls;
}

/** A refused connection (no server listens on this port) shows that the network can be reached. */
function isNetworkClosed(): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port: 1 });
    socket.on('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'EACCES' || error.code === 'EPERM'));
  });
}

/** A socket is made when it is bound. */
function areDatagramsClosed(): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'EACCES' || error.code === 'EPERM'));
    socket.bind(0, '127.0.0.1', () => socket.close(() => resolve(false)));
  });
}

function isRefused(attempt: () => unknown): boolean {
  try {
    attempt();
    return false;
  } catch {
    return true;
  }
}
