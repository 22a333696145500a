/**
 * Field managers whose fields an adoption takes over: tools that apply whole manifests. They are listed by full name,
 * because a rule by prefix (`kubectl-`) would undo `kubectl rollout restart`, `scale`, `set` and `edit`.
 */

/**
 * The manager to which the API server assigns all fields of an object that has no managedFields when it is first
 * applied server-side.
 */
export const BEFORE_FIRST_APPLY = 'before-first-apply';

const TAKEN_OVER: ReadonlySet<string> = new Set([
  'kubectl-client-side-apply',
  'kubectl-create',
  'kubectl-replace',
  BEFORE_FIRST_APPLY,
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
