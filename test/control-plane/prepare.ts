/**
 * Command: puts the control plane, kustomize, helm, sops, a registry, tautline-landlock and the substitution of Flux
 * into the cache, and prints their paths. Run it before parallel tests, so that the long build happens once and its
 * progress is visible.
 */
import {
  controlPlaneBinary,
  fluxSubstitutionBinary,
  helmBinary,
  kustomizeBinary,
  landlockBinary,
  registryBinary,
  sopsBinary,
} from './binaries.ts';

console.log(await controlPlaneBinary());
console.log(await kustomizeBinary());
console.log(await helmBinary());
console.log(await sopsBinary());
console.log(await landlockBinary());
console.log(await registryBinary());
console.log(await fluxSubstitutionBinary());
