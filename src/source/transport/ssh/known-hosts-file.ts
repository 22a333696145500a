/** The file of known hosts that the agent, or a person, trusts for every repository. */
import { open } from 'node:fs/promises';
import { sourceError } from '../../../object/source-error.ts';
import { MAX_KNOWN_HOSTS_BYTES, parseKnownHosts } from '../../known-hosts.ts';

export interface KnownHostsFile {
  /** Reads it for each request, so that a change counts at once. Empty if none is configured or it does not exist. */
  read(): Promise<string>;
}

/** `path` is empty if none is configured. The method throws StageError KnownHostsUnreadable. */
export function createKnownHostsFile(path: string): KnownHostsFile {
  return {
    async read() {
      const text = path === '' ? '' : await readBounded(path);
      const parsed = parseKnownHosts(text);
      if (parsed.ok) return text;
      throw unreadable(path, `line ${parsed.lineNumber} is not in the form of OpenSSH`);
    },
  };
}

async function readBounded(path: string): Promise<string> {
  try {
    await using file = await open(path, 'r');
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_KNOWN_HOSTS_BYTES + 1));
    if (bytesRead > MAX_KNOWN_HOSTS_BYTES) throw unreadable(path, `it exceeds ${MAX_KNOWN_HOSTS_BYTES} bytes`);
    return buffer.toString('utf8', 0, bytesRead);
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    if (code === 'ENOENT') return '';
    if (error instanceof Error && error.name === 'StageError') throw error;
    throw unreadable(path, String(code ?? 'unknown error'));
  }
}

function unreadable(path: string, reason: string): Error {
  return sourceError(
    'KnownHostsUnreadable',
    `The known hosts of the agent (--ssh-known-hosts) cannot be read from ${path}: ${reason}. Correct the file.`,
  );
}
