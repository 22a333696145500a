/**
 * A mutating admission policy that changes the Deployments of one namespace, and an Application that holds what it
 * changed after the policy is gone.
 */
import { text, workload, type Manifest } from '../../support/objects.ts';
import { at, declareSubject, deploymentPath, makeNamespace, type Subject } from '../../support/scene.ts';
import { untilTrue, type World } from '../../support/world.ts';

const API = '/apis/admissionregistration.k8s.io/v1';
const IN_GIT = 10;
const BY_POLICY = 45;

/** The grace period that the Deployment of the Application has. */
export async function liveGrace(world: World, namespace: string): Promise<unknown> {
  return graceOf(await world.read(deploymentPath(namespace, 'web')));
}

export interface Outdated {
  readonly subject: Subject;
  readonly inGit: number;
  readonly byPolicy: number;
}

/** `spec`: changes of the Application's spec before the policy goes. */
export async function declareOutdated(world: World, name: string, spec?: Manifest): Promise<Outdated> {
  await makeNamespace(world, name);
  await install(world, name);
  const subject = await declareSubject(world, name, { files: { 'a.yaml': text(deployment('web')) } });
  await subject.application.untilReady();
  if (spec) await subject.application.patch(spec);
  if (spec) await subject.application.untilReady();
  await uninstall(world, name);
  return { subject, inGit: IN_GIT, byPolicy: BY_POLICY };
}

const graceOf = (object: unknown): unknown => at(object, 'spec', 'template', 'spec', 'terminationGracePeriodSeconds');

function deployment(name: string): Manifest {
  return workload('Deployment', name, { pod: { terminationGracePeriodSeconds: IN_GIT } });
}

async function install(world: World, namespace: string): Promise<void> {
  const meta = { apiVersion: 'admissionregistration.k8s.io/v1', metadata: { name: namespace } };
  const expression =
    'Object{spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{' +
    `terminationGracePeriodSeconds: ${BY_POLICY}}}}}`;
  await world.send('POST', `${API}/mutatingadmissionpolicies`, {
    ...meta,
    kind: 'MutatingAdmissionPolicy',
    spec: {
      failurePolicy: 'Fail',
      reinvocationPolicy: 'Never',
      matchConstraints: {
        resourceRules: [
          { apiGroups: ['apps'], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['deployments'] },
        ],
      },
      matchConditions: [{ name: 'namespace', expression: `object.metadata.namespace == "${namespace}"` }],
      mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression } }],
    },
  });
  await world.send('POST', `${API}/mutatingadmissionpolicybindings`, {
    ...meta,
    kind: 'MutatingAdmissionPolicyBinding',
    spec: { policyName: namespace },
  });
  await untilAdmitted(world, namespace, BY_POLICY);
}

async function uninstall(world: World, namespace: string): Promise<void> {
  await world.send('DELETE', `${API}/mutatingadmissionpolicybindings/${namespace}`);
  await world.send('DELETE', `${API}/mutatingadmissionpolicies/${namespace}`);
  await untilAdmitted(world, namespace, IN_GIT);
}

/** The API server takes a moment to load a policy, and to drop it. */
async function untilAdmitted(world: World, namespace: string, seconds: number): Promise<void> {
  const path = `/apis/apps/v1/namespaces/${namespace}/deployments?dryRun=All`;
  await untilTrue(async () => {
    const { code, body } = await world.plane.request('POST', path, deployment('probe'));
    return code === 201 && graceOf(body) === seconds;
  }, `Deployments of ${namespace} are admitted with ${seconds} s`);
}
