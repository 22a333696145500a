/** Delivery: Argo, Flux, Flagger, Kargo, OLM, kro, KubeVela, Fleet. */
import { allOf, at, byWord, degraded, has, healthy, kindsOf, on } from '../rules.ts';
import { progressing, settled, suspended, type Rule } from '../rules.ts';

const ALWAYS = { rules: [], otherwise: 'Healthy' } as const;

/** Flux keeps Ready False with the failure while it tries again. A dependency that is not ready is no failure. */
const FLUX: readonly Rule[] = [
  degraded(on('Stalled', 'True')),
  ...settled('Ready', 'DependencyNotReady', 'Progressing'),
];

const RUN = {
  Healthy: ['Succeeded', 'Successful', 'Skipped'],
  Degraded: ['Failed', 'Error'],
  Unknown: ['Inconclusive'],
};

/** The promoter of Argo. */
const PROMOTER = settled('Ready', 'ReconciliationPending');

export const DELIVERY = [
  ...kindsOf('argoproj.io', {
    Application: [
      ...byWord('status.health.status', {
        Healthy: ['Healthy'],
        Degraded: ['Degraded'],
        Suspended: ['Suspended'],
        Missing: ['Missing'],
        Unknown: ['Unknown'],
      }),
    ],
    AppProject: ALWAYS,
    ApplicationSet: [
      degraded(on('ErrorOccurred', 'True')),
      progressing(on('RolloutProgressing', 'True')),
      healthy(on('ResourcesUpToDate', 'True')),
    ],
    Workflow: byWord('status.phase', RUN),
    'AnalysisRun Experiment': byWord('status.phase', RUN),
    'AnalysisTemplate ClusterAnalysisTemplate WorkflowTemplate ClusterWorkflowTemplate WorkflowEventBinding': ALWAYS,
    CronWorkflow: {
      rules: [degraded(on('SpecError', 'True')), degraded(on('SubmissionError', 'True'))],
      otherwise: 'Healthy',
    },
    EventBus: allOf('Configured', 'Deployed'),
    EventSource: allOf('Deployed', 'SourcesProvided'),
    Sensor: allOf('Deployed', 'DependenciesProvided', 'TriggersProvided'),
  }),
  ...kindsOf('promoter.argoproj.io', { '*': PROMOTER, ControllerConfiguration: ALWAYS }),
  ...kindsOf('kargo.akuity.io', {
    Stage: [
      degraded(at('status.health.status', 'Unhealthy')),
      progressing(at('status.health.status', 'Progressing')),
      progressing(on('Promoting', 'True')),
      ...settled('Ready', 'NoFreight', 'LastPromotionPending'),
      healthy(at('status.health.status', 'Healthy')),
      healthy(at('status.phase', 'Steady', 'NotApplicable')),
    ],
    Warehouse: [
      progressing(on('Reconciling', 'True')),
      degraded(on('Healthy', 'False')),
      ...settled('Ready'),
      healthy(on('Healthy', 'True')),
    ],
    Promotion: byWord('status.phase', { Healthy: ['Succeeded'], Degraded: ['Failed', 'Errored', 'Aborted'] }),
    Project: [
      ...settled('Ready', 'NamespaceInitializing'),
      healthy(at('status.phase', 'Ready')),
      degraded(at('status.phase', 'InitializationFailed')),
    ],
    Freight: ALWAYS,
  }),
  ...kindsOf('source.toolkit.fluxcd.io', { '*': FLUX }),
  ...kindsOf('kustomize.toolkit.fluxcd.io', { '*': FLUX }),
  ...kindsOf('helm.toolkit.fluxcd.io', { '*': FLUX }),
  ...kindsOf('image.toolkit.fluxcd.io', { '*': FLUX }),
  ...kindsOf('notification.toolkit.fluxcd.io', {
    Receiver: FLUX,
    'Alert Provider': { rules: FLUX, otherwise: 'Healthy' },
  }),
  ...kindsOf('source.extensions.fluxcd.io', { ArtifactGenerator: FLUX }),
  ...kindsOf('infra.contrib.fluxcd.io', { Terraform: [progressing(on('Ready', 'Unknown')), ...FLUX] }),
  ...kindsOf('fluxcd.controlplane.io', { '*': FLUX }),
  ...kindsOf('flagger.app', {
    Canary: byWord('status.phase', { Healthy: ['Initialized', 'Succeeded'], Degraded: ['Failed'] }),
    'MetricTemplate AlertProvider': ALWAYS,
  }),
  ...kindsOf('operators.coreos.com', {
    ClusterServiceVersion: byWord('status.phase', { Healthy: ['Succeeded'], Degraded: ['Failed'] }),
    InstallPlan: byWord('status.phase', {
      Healthy: ['Complete'],
      Degraded: ['Failed'],
      Suspended: ['RequiresApproval'],
    }),
    Subscription: [
      degraded(on('ResolutionFailed', 'True')),
      degraded(on('InstallPlanFailed', 'True')),
      degraded(on('CatalogSourcesUnhealthy', 'True')),
      degraded(on('BundleUnpackFailed', 'True')),
      suspended(on('InstallPlanPending', 'True', 'RequiresApproval')),
      healthy(at('status.state', 'AtLatestKnown')),
      suspended(at('status.state', 'UpgradePending'), at('spec.installPlanApproval', 'Manual')),
    ],
    CatalogSource: byWord('status.connectionState.lastObservedState', {
      Healthy: ['READY'],
      Degraded: ['TRANSIENT_FAILURE', 'SHUTDOWN'],
    }),
    'OperatorGroup OperatorCondition Operator': ALWAYS,
  }),
  ...kindsOf('olm.operatorframework.io', {
    ClusterExtension: [
      degraded(on('Installed', 'False', 'Failed')),
      degraded(on('Progressing', 'False', 'Blocked')),
      healthy(on('Installed', 'True')),
    ],
    ClusterCatalog: [degraded(on('Progressing', 'False', 'Blocked')), healthy(on('Serving', 'True'))],
  }),
  ...kindsOf('kro.run', {
    ResourceGraphDefinition: [
      ...settled('Ready'),
      ...byWord('status.state', { Healthy: ['Active'], Degraded: ['Inactive'] }),
    ],
    '*': [
      degraded(at('status.state', 'ERROR', 'FAILED')),
      healthy(on('Ready', 'True')),
      healthy(on('InstanceSynced', 'True'), at('status.state', 'ACTIVE')),
    ],
  }),
  ...kindsOf('core.oam.dev', {
    Application: byWord('status.status', {
      Healthy: ['running'],
      Degraded: ['workflowFailed', 'workflowTerminated', 'unhealthy'],
      Suspended: ['workflowSuspending'],
    }),
    'ComponentDefinition TraitDefinition PolicyDefinition WorkflowStepDefinition': ALWAYS,
  }),
  ...kindsOf('fleet.cattle.io', {
    'Bundle GitRepo BundleDeployment': [
      degraded(on('Stalled', 'True')),
      degraded(on('Accepted', 'False')),
      ...settled('Ready', 'WaitApplied', 'NotReady', ''),
    ],
  }),
  ...kindsOf('helm.cattle.io', {
    HelmChart: {
      rules: [degraded(on('Failed', 'True')), progressing(on('JobCreated', 'False'))],
      otherwise: 'Healthy',
    },
  }),
  ...kindsOf('app.k8s.io', { Application: [degraded(on('Error', 'True')), healthy(on('Ready', 'True'))] }),
  ...kindsOf('app.terraform.io', {
    Workspace: [
      degraded(at('status.runStatus', 'errored', 'canceled', 'force_canceled', 'discarded', 'policy_soft_failed')),
      healthy(at('status.runStatus', 'applied', 'planned_and_finished', 'planned_and_saved')),
      healthy(has('status.workspaceID')),
    ],
    Module: byWord('status.run.status', {
      Healthy: ['applied', 'planned_and_finished'],
      Degraded: ['errored', 'canceled'],
    }),
  }),
  ...kindsOf('pulumi.com', {
    Stack: [
      degraded(on('Stalled', 'True')),
      progressing(on('Reconciling', 'True')),
      healthy(on('Ready', 'True')),
      degraded(at('status.lastUpdate.state', 'failed')),
    ],
  }),
  ...kindsOf('rollouts.kruise.io', {
    Rollout: byWord('status.phase', {
      Healthy: ['Healthy', 'Completed'],
      Suspended: ['Disabled'],
      Degraded: ['Failed'],
    }),
  }),
  ...kindsOf('work.karmada.io', {
    'ResourceBinding ClusterResourceBinding': [
      degraded(on('Scheduled', 'False')),
      degraded(on('FullyApplied', 'False')),
      healthy(on('FullyApplied', 'True')),
    ],
    Work: settled('Applied'),
  }),
  ...kindsOf('policy.open-cluster-management.io', {
    '*': [
      degraded(at('status.compliant', 'NonCompliant')),
      progressing(at('status.compliant', 'Pending')),
      healthy(at('status.compliant', 'Compliant')),
    ],
    PolicySet: { rules: byWord('status.compliant', { Healthy: ['Compliant'], Degraded: ['NonCompliant'] }) },
    'PlacementBinding PolicyAutomation': ALWAYS,
  }),
  ...kindsOf('work.open-cluster-management.io', {
    ManifestWork: allOf('Applied', 'Available'),
  }),
  ...kindsOf('cluster.open-cluster-management.io', {
    ManagedCluster: [
      suspended(on('HubAcceptedManagedCluster', 'False')),
      ...settled('ManagedClusterConditionAvailable'),
    ],
    Placement: settled('PlacementSatisfied'),
  }),
];
