/**
 * Command: puts the control plane, kustomize and helm into the cache, and prints their paths. Run it before parallel
 * tests, so that the long build happens once and its progress is visible.
 */
import { controlPlaneBinary, helmBinary, kustomizeBinary } from './binaries.ts';

console.log(await controlPlaneBinary());
console.log(await kustomizeBinary());
console.log(await helmBinary());
