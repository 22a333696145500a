/** Provenance files as `helm package --sign` writes them, without helm. */
import type { PgpSigner } from './signed-git.ts';
import { digestOf } from './registry-server.ts';

export interface ProvenanceText {
  readonly name: string;
  readonly version: string;
  readonly archive: Uint8Array;
  /** Default: `<name>-<version>.tgz`. */
  readonly file?: string;
}

export function provenanceText({ name, version, archive, file = `${name}-${version}.tgz` }: ProvenanceText): string {
  return `apiVersion: v2\nname: ${name}\nversion: ${version}\n\n...\nfiles:\n  ${file}: ${digestOf(archive)}\n`;
}

export function provenanceOf(signer: Pick<PgpSigner, 'clearSign'>, text: ProvenanceText): Promise<string> {
  return signer.clearSign(provenanceText(text));
}
