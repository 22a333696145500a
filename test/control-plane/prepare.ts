/**
 * Command: puts the control plane, kustomize, helm and tautline-landlock into the cache, and prints their paths. Run it
 * before parallel tests, so that the long build happens once and its progress is visible.
 */
import { controlPlaneBinary, helmBinary, kustomizeBinary, landlockBinary } from './binaries.ts';

console.log(await controlPlaneBinary());
console.log(await kustomizeBinary());
console.log(await helmBinary());
console.log(await landlockBinary());
