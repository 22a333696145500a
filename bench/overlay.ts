/**
 * Writes the overlay for the benchmark of renders: a base of n Deployments in one file, and an overlay with a prefix, a
 * namespace, labels, an image and a patch for every tenth Deployment.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Writes `base/` and `overlay/` into a folder. Returns the folder to build. */
export function writeOverlay(folder: string, objects: number): string {
  const names = Array.from({ length: objects }, (_, index) => `app-${index}`);
  const patched = names.filter((_, index) => index % 10 === 0);
  const files = {
    'base/kustomization.yaml': 'resources:\n- deployments.yaml\n',
    'base/deployments.yaml': names.map(deploymentText).join('---\n'),
    'overlay/kustomization.yaml': OVERLAY,
    'overlay/patches.yaml': patched.map(patchText).join('---\n'),
  };
  for (const [path, text] of Object.entries(files)) writeText(join(folder, path), text);
  return join(folder, 'overlay');
}

function writeText(path: string, text: string): void {
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
}

const OVERLAY = `resources:
- ../base
namePrefix: prod-
namespace: production
labels:
- pairs:
    environment: production
  includeSelectors: true
images:
- name: registry.example.com/team/app
  newTag: "2.4.1"
patches:
- path: patches.yaml
`;

/** About 700 bytes, a usual size of a Deployment. */
export function deploymentText(name: string): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
  labels:
    app: ${name}
spec:
  replicas: 2
  selector:
    matchLabels:
      app: ${name}
  template:
    metadata:
      labels:
        app: ${name}
    spec:
      serviceAccountName: default
      containers:
      - name: main
        image: registry.example.com/team/app:1.0.0
        args: ["--listen=:8080", "--log-level=info"]
        ports:
        - name: http
          containerPort: 8080
        env:
        - name: NAME
          value: ${name}
        resources:
          requests:
            cpu: 50m
            memory: 64Mi
          limits:
            memory: 128Mi
        readinessProbe:
          httpGet:
            path: /healthz
            port: http
`;
}

function patchText(name: string): string {
  return `apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: ${name}\nspec:\n  replicas: 3\n`;
}
