/** `tautline crd`: prints the CustomResourceDefinition of Application for `kubectl apply --server-side -f -`. */
import { printCrd } from '../application/crd.ts';

export function runCrd(): void {
  process.stdout.write(printCrd());
}
