/** Workloads, batch and serverless: KEDA, Knative, KServe, Kueue, Ray, Kubeflow, OpenKruise, Tekton, KubeVirt. */
import {
  allOf,
  annotated,
  at,
  awaited,
  below,
  byWord,
  degraded,
  each,
  has,
  healthy,
  kindsOf,
  lacks,
} from '../rules.ts';
import { not, on, progressing, settled, suspended, type Rule } from '../rules.ts';

const ALWAYS = { rules: [], otherwise: 'Healthy' } as const;

const KEDA: readonly Rule[] = [
  degraded(on('Ready', 'False')),
  suspended(on('Paused', 'True')),
  suspended(annotated('autoscaling.keda.sh/paused', 'true')),
  suspended(annotated('autoscaling.keda.sh/paused-replicas')),
  healthy(on('Ready', 'True')),
];
const KNATIVE: readonly Rule[] = [
  degraded(on('Ready', 'False')),
  degraded(on('Succeeded', 'False')),
  healthy(on('Ready', 'True')),
  healthy(on('Succeeded', 'True')),
];
const KNATIVE_KINDS = { '*': KNATIVE };
/** KFP, training operator: conditions of the Job. */
const TRAINING: readonly Rule[] = [
  degraded(on('Failed', 'True')),
  healthy(on('Succeeded', 'True')),
  suspended(on('Suspended', 'True')),
  healthy(on('Running', 'True')),
];
const TEKTON_RUN: readonly Rule[] = [degraded(on('Succeeded', 'False')), healthy(on('Succeeded', 'True'))];
const KUEUE_STOP = [at('spec.stopPolicy', 'Hold', 'HoldAndDrain')];

const KRUISE = {
  otherwise: 'Healthy',
  pauses: [at('spec.updateStrategy.paused', true), at('spec.updateStrategy.rollingUpdate.paused', true)],
} as const;

/** All replicas are updated and ready, as for a StatefulSet. A partition keeps some of them on the old version. */
function kruise(partition: string): { readonly rules: readonly Rule[] } & typeof KRUISE {
  return {
    ...KRUISE,
    rules: [
      degraded(on('FailedScale', 'True')),
      degraded(on('FailedUpdate', 'True')),
      progressing(lacks('status.observedGeneration')),
      progressing(below('status.readyReplicas', 'spec.replicas', 1)),
      suspended(not(below(partition, 1)), below('status.updatedReplicas', 'spec.replicas', 1)),
      progressing(below('status.updatedReplicas', 'status.expectedUpdatedReplicas')),
      progressing(lacks('status.expectedUpdatedReplicas'), below('status.updatedReplicas', 'spec.replicas', 1)),
    ],
  };
}

export const WORKLOADS = [
  ...kindsOf('keda.sh', {
    'ScaledObject ScaledJob': KEDA,
    'TriggerAuthentication ClusterTriggerAuthentication': ALWAYS,
  }),
  ...kindsOf('http.keda.sh', { HTTPScaledObject: settled('Ready') }),
  ...kindsOf('autoscaling.k8s.io', {
    VerticalPodAutoscaler: [
      degraded(on('ConfigUnsupported', 'True')),
      degraded(on('ConfigDeprecated', 'True')),
      healthy(at('spec.updatePolicy.updateMode', 'Off')),
      degraded(on('RecommendationProvided', 'False')),
      healthy(on('RecommendationProvided', 'True')),
    ],
    VerticalPodAutoscalerCheckpoint: ALWAYS,
  }),
  ...kindsOf('serving.knative.dev', KNATIVE_KINDS),
  ...kindsOf('eventing.knative.dev', KNATIVE_KINDS),
  ...kindsOf('messaging.knative.dev', KNATIVE_KINDS),
  ...kindsOf('sources.knative.dev', KNATIVE_KINDS),
  ...kindsOf('flows.knative.dev', KNATIVE_KINDS),
  ...kindsOf('sinks.knative.dev', KNATIVE_KINDS),
  ...kindsOf('operator.knative.dev', KNATIVE_KINDS),
  ...kindsOf('networking.internal.knative.dev', { ...KNATIVE_KINDS, ClusterDomainClaim: ALWAYS }),
  ...kindsOf('autoscaling.internal.knative.dev', KNATIVE_KINDS),
  ...kindsOf('functions.dev', KNATIVE_KINDS),
  ...kindsOf('serving.kserve.io', {
    InferenceService: [
      degraded(at('status.modelStatus.transitionStatus', 'InvalidSpec', 'BlockedByFailedLoad')),
      suspended(on('Stopped', 'True')),
      progressing(at('status.modelStatus.transitionStatus', 'InProgress')),
      ...settled('Ready'),
    ],
    'InferenceGraph LLMInferenceService': settled('Ready'),
    'ServingRuntime ClusterServingRuntime TrainedModel': ALWAYS,
  }),
  ...kindsOf('machinelearning.seldon.io', {
    SeldonDeployment: byWord('status.state', { Healthy: ['Available'], Degraded: ['Failed'] }),
  }),
  ...kindsOf('mlops.seldon.io', { '*': settled('Ready'), ServerConfig: ALWAYS }),
  ...kindsOf('kueue.x-k8s.io', {
    'ClusterQueue LocalQueue': { rules: settled('Active'), pauses: KUEUE_STOP },
    AdmissionCheck: settled('Active'),
    Workload: [
      degraded(on('Finished', 'True', 'JobFailed', 'Failed')),
      healthy(on('Finished', 'True')),
      suspended(at('spec.active', false)),
      healthy(on('Admitted', 'True')),
    ],
    'ResourceFlavor Cohort Topology WorkloadPriorityClass': ALWAYS,
    MultiKueueCluster: settled('Active'),
  }),
  ...kindsOf('jobset.x-k8s.io', {
    JobSet: [degraded(on('Failed', 'True')), healthy(on('Completed', 'True')), suspended(on('Suspended', 'True'))],
  }),
  ...kindsOf('leaderworkerset.x-k8s.io', {
    LeaderWorkerSet: [progressing(on('UpdateInProgress', 'True')), ...awaited('Available')],
  }),
  ...kindsOf('workload.codeflare.dev', {
    AppWrapper: byWord('status.phase', {
      Healthy: ['Running', 'Succeeded'],
      Degraded: ['Failed'],
      Suspended: ['Suspended'],
    }),
  }),
  ...kindsOf('batch.volcano.sh', {
    Job: byWord('status.state.phase', {
      Healthy: ['Running', 'Completed'],
      Degraded: ['Failed', 'Aborted', 'Terminated'],
      Suspended: ['Aborting'],
    }),
  }),
  ...kindsOf('scheduling.volcano.sh', {
    Queue: byWord('status.state', { Healthy: ['Open'], Suspended: ['Closed'], Unknown: ['Unknown'] }),
    PodGroup: byWord('status.phase', { Healthy: ['Running', 'Completed'], Unknown: ['Unknown'] }),
  }),
  ...kindsOf('ray.io', {
    RayCluster: [
      degraded(at('status.state', 'failed')),
      degraded(on('ReplicaFailure', 'True')),
      suspended(at('status.state', 'suspended')),
      healthy(at('status.state', 'ready')),
      healthy(on('RayClusterProvisioned', 'True')),
    ],
    RayJob: [
      degraded(at('status.jobDeploymentStatus', 'Failed', 'ValidationFailed')),
      degraded(at('status.jobStatus', 'FAILED', 'STOPPED')),
      suspended(at('status.jobDeploymentStatus', 'Suspended', 'Suspending')),
      healthy(at('status.jobDeploymentStatus', 'Complete')),
      healthy(at('status.jobStatus', 'SUCCEEDED')),
    ],
    RayService: [
      degraded(at('status.serviceStatus', 'FailedServeDeploy', 'FailedToGetOrCreateRayCluster')),
      degraded(on('Ready', 'False', 'RayServiceFailed', 'ValidationFailed')),
      healthy(on('Ready', 'True')),
      healthy(at('status.serviceStatus', 'Running')),
    ],
  }),
  ...kindsOf('kubeflow.org', {
    'PyTorchJob TFJob MPIJob XGBoostJob PaddleJob JAXJob MXJob Experiment Trial': TRAINING,
    Notebook: [
      degraded(has('status.containerState.waiting.message')),
      progressing(below('status.readyReplicas', 1)),
      healthy(has('status.readyReplicas')),
    ],
    'Profile PodDefault': { rules: [degraded(on('Failed', 'True'))], otherwise: 'Healthy' },
  }),
  ...kindsOf('trainer.kubeflow.org', {
    TrainJob: [degraded(on('Failed', 'True')), healthy(on('Complete', 'True')), suspended(on('Suspended', 'True'))],
    'TrainingRuntime ClusterTrainingRuntime': ALWAYS,
  }),
  ...kindsOf('apps.kruise.io', {
    CloneSet: kruise('spec.updateStrategy.partition'),
    'StatefulSet UnitedDeployment': kruise('spec.updateStrategy.rollingUpdate.partition'),
    DaemonSet: {
      rules: [
        progressing(lacks('status.observedGeneration')),
        suspended(
          not(below('spec.updateStrategy.rollingUpdate.partition', 1)),
          below('status.updatedNumberScheduled', 'status.desiredNumberScheduled'),
        ),
        progressing(below('status.updatedNumberScheduled', 'status.desiredNumberScheduled')),
        progressing(below('status.numberAvailable', 'status.desiredNumberScheduled')),
      ],
      otherwise: 'Healthy',
      pauses: [at('spec.updateStrategy.rollingUpdate.paused', true)],
    },
    BroadcastJob: {
      rules: byWord('status.phase', { Healthy: ['completed'], Degraded: ['failed'], Suspended: ['paused'] }),
      pauses: [at('spec.paused', true)],
    },
    AdvancedCronJob: { rules: [], otherwise: 'Healthy', pauses: [at('spec.paused', true)] },
    'SidecarSet ImagePullJob': ALWAYS,
  }),
  ...kindsOf('tekton.dev', {
    'PipelineRun TaskRun CustomRun Run': TEKTON_RUN,
    'Pipeline Task ClusterTask StepAction': ALWAYS,
  }),
  ...kindsOf('triggers.tekton.dev', {
    EventListener: [degraded(on('Ready', 'False')), ...awaited('Available'), healthy(on('Ready', 'True'))],
    '*': ALWAYS,
  }),
  ...kindsOf('operator.tekton.dev', { '*': settled('Ready') }),
  ...kindsOf('shipwright.io', {
    Build: [degraded(at('status.registered', 'False')), healthy(at('status.registered', 'True'))],
    BuildRun: TEKTON_RUN,
    'BuildStrategy ClusterBuildStrategy': ALWAYS,
  }),
  ...kindsOf('kpack.io', {
    'Image Build Builder ClusterBuilder ClusterStore ClusterStack ClusterBuildpack': KNATIVE,
  }),
  ...kindsOf('camel.apache.org', {
    Integration: [...byWord('status.phase', { Degraded: ['Error'] }), ...settled('Ready', 'DeploymentProgressing')],
    'IntegrationPlatform IntegrationKit': byWord('status.phase', {
      Healthy: ['Ready'],
      Degraded: ['Error', 'Cannot Build Image', 'Duplicate'],
    }),
    'KameletBinding Pipe': [degraded(at('status.phase', 'Error')), ...settled('Ready')],
    'Kamelet CamelCatalog': byWord('status.phase', { Healthy: ['Ready'], Degraded: ['Error'] }),
  }),
  ...kindsOf('kubevirt.io', {
    VirtualMachine: [
      degraded(
        at(
          'status.printableStatus',
          ...['CrashLoopBackOff', 'ErrorUnschedulable', 'ErrImagePull', 'ImagePullBackOff', 'ErrorPvcNotFound'],
          ...['DataVolumeError', 'ErrorDataVolumeNotFound'],
        ),
      ),
      degraded(on('Failure', 'True')),
      suspended(at('status.printableStatus', 'Paused', 'Stopped')),
      suspended(on('Paused', 'True')),
      healthy(at('status.printableStatus', 'Running', 'Succeeded')),
      healthy(on('Ready', 'True')),
    ],
    VirtualMachineInstance: [
      degraded(at('status.phase', 'Failed')),
      suspended(on('Paused', 'True')),
      healthy(at('status.phase', 'Succeeded')),
      progressing(on('Ready', 'False')),
      healthy(at('status.phase', 'Running')),
    ],
    KubeVirt: [degraded(on('Degraded', 'True')), progressing(on('Progressing', 'True')), ...awaited('Available')],
  }),
  ...kindsOf('cdi.kubevirt.io', {
    DataVolume: byWord('status.phase', {
      Healthy: ['Succeeded', 'WaitForFirstConsumer', 'PendingPopulation'],
      Degraded: ['Failed'],
      Suspended: ['Paused'],
      Unknown: ['Unknown'],
    }),
    CDI: [degraded(on('Degraded', 'True')), progressing(on('Progressing', 'True')), ...awaited('Available')],
    DataImportCron: { rules: [degraded(on('UpToDate', 'False', 'ImportFailed'))], otherwise: 'Healthy' },
    DataSource: awaited('Ready'),
  }),
  ...kindsOf('numaflow.numaproj.io', {
    'Pipeline MonoVertex': [
      degraded(at('status.phase', 'Failed')),
      suspended(at('status.phase', 'Paused')),
      progressing(at('status.phase', 'Pausing', 'Pending', 'Deleting')),
      degraded(on('DaemonServiceHealthy', 'False')),
      degraded(on('VerticesHealthy', 'False')),
      degraded(on('PodsHealthy', 'False')),
      healthy(at('status.phase', 'Running')),
    ],
    'Vertex InterStepBufferService': byWord('status.phase', {
      Healthy: ['Running'],
      Degraded: ['Failed'],
      Suspended: ['Paused'],
    }),
  }),
  ...kindsOf('numaplane.numaproj.io', {
    '*': [
      degraded(at('status.phase', 'Failed')),
      degraded(
        on(
          'ChildResourcesHealthy',
          'False',
          'ChildResourcesFailed',
          'PipelineFailed',
          'MonoVertexFailed',
          'ISBSvcFailed',
        ),
      ),
      degraded(on('ProgressiveUpgradeSucceeded', 'False')),
      suspended(on('PausingPipeline', 'True')),
      progressing(on('ChildResourcesHealthy', ['False', 'Unknown'])),
      progressing(on('ChildResourceDeployed', 'False')),
      healthy(at('status.phase', 'Deployed')),
    ],
  }),
  ...kindsOf('core.spinkube.dev', {
    SpinApp: [
      degraded(on('Available', 'False')),
      progressing(on('Progressing', 'Unknown')),
      healthy(on('Available', 'True')),
    ],
  }),
  ...kindsOf('kubernetes.dask.org', {
    DaskCluster: byWord('status.phase', { Healthy: ['Running'], Degraded: ['Error'] }),
    DaskJob: byWord('status.jobStatus', { Healthy: ['Running', 'Successful'], Degraded: ['Failed'] }),
  }),
  ...kindsOf('k6.io', {
    'TestRun K6': byWord('status.stage', { Healthy: ['finished', 'stopped', 'started'], Degraded: ['error'] }),
    PrivateLoadZone: awaited('PrivateLoadZoneRegistered'),
  }),
  ...kindsOf('openfaas.com', { Function: awaited('Ready') }),
  ...kindsOf('agones.dev', {
    Fleet: { rules: [progressing(below('status.readyReplicas', 'spec.replicas'))], otherwise: 'Healthy' },
    GameServer: byWord('status.state', {
      Healthy: ['Ready', 'Allocated', 'Reserved'],
      Degraded: ['Error', 'Unhealthy'],
    }),
  }),
  ...kindsOf('dapr.io', { 'Component Configuration Subscription Resiliency HTTPEndpoint': ALWAYS }),
  ...kindsOf('apps.3scale.net', {
    APIManager: [degraded(on('Invalid', 'True')), ...awaited('Available')],
    APIcast: awaited('Ready'),
  }),
  ...kindsOf('capabilities.3scale.net', {
    '*': [
      degraded(on('Failed', 'True')),
      degraded(on('Invalid', 'True')),
      degraded(on('Orphan', 'True')),
      healthy(on('Synced', 'True')),
      healthy(on('Ready', 'True')),
    ],
  }),
  ...kindsOf('wildfly.org', {
    WildFlyServer: [
      progressing(below('status.replicas', 'spec.replicas', 1)),
      each('status.pods', [healthy(at('state', 'ACTIVE'))]),
      healthy(has('status.pods')),
    ],
  }),
  ...kindsOf('keycloak.org', {
    Keycloak: [degraded(at('status.phase', 'failing')), healthy(at('status.ready', true))],
  }),
  ...kindsOf('k8s.keycloak.org', {
    Keycloak: [
      degraded(on('HasErrors', 'True')),
      progressing(on('RollingUpdate', 'True')),
      healthy(on('Ready', ['True', 'true'])),
    ],
    KeycloakRealmImport: [degraded(on('HasErrors', 'True')), healthy(on('Done', ['True', 'true']))],
  }),
  ...kindsOf('workspace.devfile.io', {
    DevWorkspace: byWord('status.phase', {
      Healthy: ['Running'],
      Suspended: ['Stopped'],
      Degraded: ['Failed', 'Error'],
    }),
  }),
  ...kindsOf('toolhive.stacklok.dev', {
    MCPServer: byWord('status.phase', { Healthy: ['Running', 'Ready'], Degraded: ['Failed'] }),
  }),
  ...kindsOf('kagent.dev', { '*': allOf('Accepted', 'Ready').concat(healthy(on('Accepted', 'True'))) }),
  ...kindsOf('actions.github.com', {
    AutoscalingRunnerSet: { rules: byWord('status.phase', { Degraded: ['Outdated'] }), otherwise: 'Healthy' },
    EphemeralRunner: byWord('status.phase', { Healthy: ['Running', 'Succeeded'], Degraded: ['Failed', 'Outdated'] }),
  }),
  ...kindsOf('actions.summerwind.dev', {
    'RunnerDeployment RunnerSet': {
      rules: [progressing(below('status.availableReplicas', 'spec.replicas'))],
      otherwise: 'Healthy',
    },
  }),
];
