/**
 * Field managers whose fields an adoption takes over: tools that apply whole manifests. A list, not a prefix: a prefix
 * rule would undo `kubectl rollout restart`, `scale`, `set` and `edit`.
 */

const TAKEN_OVER: ReadonlySet<string> = new Set([
  'kubectl-client-side-apply',
  'kubectl-create',
  'kubectl-replace',
  'before-first-apply',
  'helm',
  'Helm',
  'argocd-controller',
  'argocd-application-controller',
  'kustomize-controller',
  'helm-controller',
]);

export interface ManagedFieldsEntry {
  readonly manager: string;
  readonly operation: string;
  readonly subresource: string;
}

export function isTakenOverManager({ manager, operation, subresource }: ManagedFieldsEntry): boolean {
  if (subresource !== '') return false;
  return TAKEN_OVER.has(manager) || (manager === 'kubectl' && operation === 'Apply');
}
