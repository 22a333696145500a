/**
 * Command: puts the control plane, kustomize and helm into the cache, and prints where they are. Run it ahead of
 * parallel tests, so that the one long build happens once and in sight.
 */
import { controlPlaneBinary, helmBinary, kustomizeBinary } from './binaries.ts';

console.log(await controlPlaneBinary());
console.log(await kustomizeBinary());
console.log(await helmBinary());
