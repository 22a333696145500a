/** Opens an address in the browser of the person. */
import { spawn } from 'node:child_process';
import { ownEnvironment } from '../config/environment.ts';

const PROGRAMS: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  darwin: ['open'],
  win32: ['cmd', '/c', 'start', ''],
};

/** false: there is no program that opens addresses. The variable BROWSER goes before the program of the system. */
export function openInBrowser(url: string): Promise<boolean> {
  const named = ownEnvironment()['BROWSER'];
  const [command = '', ...args] = named ? [named] : (PROGRAMS[process.platform] ?? ['xdg-open']);
  return new Promise((resolve) => {
    const child = spawn(command, [...args, url], { stdio: 'ignore', detached: true });
    child.once('error', () => resolve(false));
    child.once('spawn', () => {
      child.unref();
      resolve(true);
    });
  });
}
