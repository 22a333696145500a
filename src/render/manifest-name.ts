/** The names of files that hold manifests in a folder without a kustomization. */

const MANIFEST = /\.(ya?ml|json)$/i;

/** Whether the file is read as a manifest. Hidden files are not. */
export function isManifestName(name: string): boolean {
  return MANIFEST.test(name) && !name.startsWith('.');
}
