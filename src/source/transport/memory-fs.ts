/** The file system of isomorphic-git: a Map, so nothing that a server sends reaches the disk through it. */
import type { PromiseFsClient } from 'isomorphic-git';

export function createMemoryFs(files: ReadonlyMap<string, string>): PromiseFsClient {
  const content = new Map<string, Buffer>([...files].map(([path, text]) => [path, Buffer.from(text)]));

  function existing(path: string): Buffer {
    const found = content.get(path);
    if (found) return found;
    throw Object.assign(new Error(`no such file: ${path}`), { code: 'ENOENT' });
  }
  const stat = async (path: string) => {
    const file = existing(path);
    return {
      size: file.length,
      mode: 0o100644,
      isFile: () => true,
      isDirectory: () => false,
      isSymbolicLink: () => false,
    };
  };
  return {
    promises: {
      async readFile(path: string, options?: string | { encoding?: BufferEncoding }) {
        const encoding = typeof options === 'string' ? (options as BufferEncoding) : options?.encoding;
        const file = existing(path);
        return encoding ? file.toString(encoding) : file;
      },
      async writeFile(path: string, data: string | Uint8Array) {
        content.set(path, Buffer.from(data as Uint8Array));
      },
      async unlink(path: string) {
        content.delete(path);
      },
      async readdir(path: string) {
        const names = [...content.keys()].filter((key) => key.startsWith(`${path}/`));
        return [...new Set(names.map((key) => key.slice(path.length + 1).split('/')[0]))];
      },
      mkdir: async () => undefined,
      rmdir: async () => undefined,
      readlink: async (path: string) => existing(path).toString(),
      symlink: async () => undefined,
      stat,
      lstat: stat,
    },
  };
}
