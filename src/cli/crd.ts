/** `tautline crd`: prints the CustomResourceDefinition of Application for `kubectl apply --server-side -f -`. */
import { printCrd } from '../application/crd.ts';
import { print } from './output.ts';

export function runCrd(): void {
  print(printCrd());
}
