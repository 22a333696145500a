/**
 * Command: puts the control plane, kustomize, helm, sops, a registry, tautline-landlock, the substitution of Flux,
 * the judge of alerts and dashboards, and Chromium into the cache, and prints their paths. Run it before parallel
 * tests, so that the long build happens once and its progress is visible.
 */
import {
  ageKeygenBinary,
  controlPlaneBinary,
  fluxSubstitutionBinary,
  helmBinary,
  kustomizeBinary,
  landlockBinary,
  prometheusJudgeBinary,
  registryBinary,
  sopsBinary,
} from './binaries.ts';
import { chromiumFolder } from '../support/chromium.ts';

console.log(await controlPlaneBinary());
console.log(await kustomizeBinary());
console.log(await helmBinary());
console.log(await sopsBinary());
console.log(await ageKeygenBinary());
console.log(await landlockBinary());
console.log(await registryBinary());
console.log(await fluxSubstitutionBinary());
console.log(await prometheusJudgeBinary());
console.log(await chromiumFolder());
