/** Workloads, observability, storage and policy; see `case.ts` for the form. */
import type { Table } from './case.ts';

const KEDA = [
  'Progressing',
  'Healthy Ready=True Active=True',
  'Healthy Ready=True Active=False',
  'Degraded Ready=False/ScaledObjectCheckFailed',
  'Suspended Ready=True Paused=True',
  'Suspended Ready=True @autoscaling.keda.sh/paused=true',
];
const KNATIVE = [
  'Progressing',
  'Healthy Ready=True',
  'Degraded Ready=False/RevisionFailed',
  'Progressing Ready=Unknown/Deploying',
  'Progressing #2 .observedGeneration=1 Ready=True',
];
const RUN = [
  'Progressing',
  'Progressing Succeeded=Unknown/Running',
  'Healthy Succeeded=True',
  'Degraded Succeeded=False/Failed',
];
const TRAINING = [
  'Progressing',
  'Progressing Created=True',
  'Healthy Running=True',
  'Healthy Succeeded=True Running=False',
  'Degraded Failed=True',
];
const KRUISE = [
  'Progressing',
  'Healthy #2 .observedGeneration=2 spec.replicas=2 .updatedReplicas=2 .readyReplicas=2',
  'Progressing .observedGeneration=1 spec.replicas=2 .updatedReplicas=1 .readyReplicas=2',
  'Suspended spec.updateStrategy.paused=true',
  'Suspended spec.updateStrategy.partition=1 .observedGeneration=1 spec.replicas=2 .updatedReplicas=1 .readyReplicas=2',
];
const PROMETHEUS = [
  'Progressing',
  'Healthy Available=True Reconciled=True',
  'Degraded Available=Degraded/SomePodsNotReady Reconciled=True',
  'Degraded Available=True Reconciled=False/ReconciliationFailed',
  'Suspended spec.paused=true Available=True',
];
const ALWAYS = ['Healthy'];
const VELERO = [
  'Progressing',
  'Progressing .phase="InProgress"',
  'Healthy .phase="Completed"',
  'Degraded .phase="PartiallyFailed"',
  'Degraded .phase="FailedValidation"',
];
const KYVERNO = ['Progressing', 'Healthy Ready=True/Succeeded', 'Degraded Ready=False/Failed', 'Healthy .ready=true'];
const KYVERNO_CEL = ['Progressing', 'Healthy .conditionStatus.ready=true', 'Degraded .conditionStatus.ready=false'];
const ROOK = ['Progressing', 'Healthy .phase="Ready"', 'Progressing .phase="Progressing"', 'Degraded .phase="Failure"'];
const SNAPSHOT = [
  'Progressing',
  'Healthy .readyToUse=true',
  'Progressing .readyToUse=false',
  'Degraded .readyToUse=false .error={"message":"no~space"}',
];

export const TABLE_3: Table = {
  'keda.sh/v1alpha1 ScaledObject ScaledJob': KEDA,
  'keda.sh/v1alpha1 TriggerAuthentication': ALWAYS,
  'autoscaling.k8s.io/v1 VerticalPodAutoscaler': [
    'Progressing',
    'Healthy RecommendationProvided=True',
    'Degraded ConfigUnsupported=True',
  ],
  'serving.knative.dev/v1 Service Route Configuration Revision': KNATIVE,
  'eventing.knative.dev/v1 Broker Trigger': KNATIVE,
  'messaging.knative.dev/v1 Channel Subscription': KNATIVE,
  'sources.knative.dev/v1 PingSource ApiServerSource': KNATIVE.slice(0, 3),
  'operator.knative.dev/v1beta1 KnativeServing KnativeEventing': KNATIVE.slice(0, 3),
  'serving.kserve.io/v1beta1 InferenceService': [
    'Progressing',
    'Healthy Ready=True',
    'Progressing Ready=False .modelStatus.transitionStatus="InProgress"',
    'Degraded Ready=False .modelStatus.transitionStatus="BlockedByFailedLoad"',
  ],
  'kueue.x-k8s.io/v1beta1 ClusterQueue LocalQueue': [
    'Progressing',
    'Healthy Active=True/Ready',
    'Degraded Active=False/FlavorNotFound',
    'Suspended spec.stopPolicy="Hold" Active=False/Stopped',
  ],
  'kueue.x-k8s.io/v1beta1 ResourceFlavor': ALWAYS,
  'kueue.x-k8s.io/v1beta1 AdmissionCheck': ['Progressing', 'Healthy Active=True', 'Degraded Active=False'],
  'jobset.x-k8s.io/v1alpha2 JobSet': [
    'Progressing',
    'Healthy Completed=True',
    'Degraded Failed=True',
    'Suspended spec.suspend=true',
  ],
  'leaderworkerset.x-k8s.io/v1 LeaderWorkerSet': [
    'Progressing',
    'Healthy Available=True',
    'Progressing Available=True UpdateInProgress=True',
  ],
  'batch.volcano.sh/v1alpha1 Job': [
    'Progressing',
    'Progressing .state.phase="Pending"',
    'Healthy .state.phase="Completed"',
    'Degraded .state.phase="Failed"',
  ],
  'ray.io/v1 RayCluster': [
    'Progressing',
    'Healthy .state="ready"',
    'Degraded .state="failed" .reason="no~head"',
    'Suspended .state="suspended"',
  ],
  'ray.io/v1 RayJob': [
    'Progressing',
    'Healthy .jobStatus="SUCCEEDED" .jobDeploymentStatus="Complete"',
    'Degraded .jobStatus="FAILED" .jobDeploymentStatus="Failed"',
    'Progressing .jobStatus="RUNNING" .jobDeploymentStatus="Running"',
    'Suspended .jobDeploymentStatus="Suspended"',
  ],
  'ray.io/v1 RayService': [
    'Progressing',
    'Healthy .serviceStatus="Running"',
    'Degraded .serviceStatus="FailedServeDeploy"',
  ],
  'kubeflow.org/v1 PyTorchJob TFJob MPIJob': TRAINING,
  'apps.kruise.io/v1alpha1 CloneSet': KRUISE,
  'apps.kruise.io/v1beta1 StatefulSet': KRUISE.slice(0, 3),
  'apps.kruise.io/v1alpha1 DaemonSet': [
    'Progressing',
    'Healthy .observedGeneration=1 .desiredNumberScheduled=2 .updatedNumberScheduled=2 .numberAvailable=2',
    'Progressing .observedGeneration=1 .desiredNumberScheduled=2 .updatedNumberScheduled=1 .numberAvailable=2',
  ],
  'tekton.dev/v1 PipelineRun TaskRun': RUN,
  'tekton.dev/v1 Pipeline Task': ALWAYS,
  'operator.tekton.dev/v1alpha1 TektonConfig TektonPipeline': [
    'Progressing',
    'Healthy Ready=True',
    'Degraded Ready=False',
  ],
  'shipwright.io/v1beta1 BuildRun': RUN,
  'kpack.io/v1alpha2 Image Builder': KNATIVE.slice(0, 4),
  'kubevirt.io/v1 VirtualMachine': [
    'Progressing',
    'Healthy .printableStatus="Running" Ready=True',
    'Suspended .printableStatus="Stopped"',
    'Degraded .printableStatus="ErrorUnschedulable"',
    'Progressing .printableStatus="Starting"',
    'Suspended .printableStatus="Paused"',
  ],
  'kubevirt.io/v1 VirtualMachineInstance': [
    'Progressing',
    'Healthy .phase="Running" Ready=True',
    'Degraded .phase="Failed"',
    'Progressing .phase="Scheduling"',
    'Suspended .phase="Running" Paused=True',
  ],
  'cdi.kubevirt.io/v1beta1 DataVolume': [
    'Progressing',
    'Healthy .phase="Succeeded"',
    'Progressing .phase="ImportInProgress"',
    'Degraded .phase="Failed"',
    'Suspended .phase="Paused"',
  ],
  'numaflow.numaproj.io/v1alpha1 Pipeline': [
    'Progressing',
    'Healthy .phase="Running"',
    'Suspended .phase="Paused"',
    'Degraded .phase="Failed"',
    'Progressing .phase="Pausing"',
  ],
  'k8s.keycloak.org/v2alpha1 Keycloak': [
    'Progressing',
    'Healthy Ready=True HasErrors=False',
    'Degraded Ready=False HasErrors=True',
    'Progressing Ready=False HasErrors=False',
  ],
  'k8s.keycloak.org/v2alpha1 KeycloakRealmImport': [
    'Progressing',
    'Healthy Done=True HasErrors=False',
    'Degraded Done=False HasErrors=True',
  ],
  'k6.io/v1alpha1 TestRun': [
    'Progressing',
    'Healthy .stage="finished"',
    'Degraded .stage="error"',
    'Progressing .stage="initialization"',
  ],
  'monitoring.coreos.com/v1 Prometheus Alertmanager ThanosRuler': PROMETHEUS,
  'monitoring.coreos.com/v1 ServiceMonitor PodMonitor PrometheusRule': [
    'Healthy',
    'Healthy .bindings=[{"conditions":[{"type":"Accepted","status":"True"}]}]',
    'Degraded .bindings=[{"conditions":[{"type":"Accepted","status":"False","reason":"InvalidConfiguration"}]}]',
  ],
  'operator.victoriametrics.com/v1beta1 VMCluster VMAgent VMSingle': [
    'Progressing',
    'Healthy .updateStatus="operational"',
    'Progressing .updateStatus="expanding"',
    'Degraded .updateStatus="failed" .reason="no~image"',
    'Suspended .updateStatus="paused"',
  ],
  'grafana.integreatly.org/v1beta1 Grafana': [
    'Progressing',
    'Healthy .stage="complete" .stageStatus="success"',
    'Degraded .stage="deployment" .stageStatus="failed"',
    'Progressing .stage="deployment" .stageStatus="in~progress"',
  ],
  'grafana.integreatly.org/v1beta1 GrafanaDashboard': [
    'Healthy',
    'Healthy DashboardSynchronized=True',
    'Degraded DashboardSynchronized=False/ApplyFailed',
  ],
  'loki.grafana.com/v1 LokiStack': [
    'Progressing',
    'Healthy Ready=True',
    'Progressing Pending=True',
    'Degraded Failed=True',
  ],
  'opentelemetry.io/v1beta1 OpenTelemetryCollector': ALWAYS,
  'jaegertracing.io/v1 Jaeger': ['Progressing', 'Healthy .phase="Running"', 'Degraded .phase="Failed"'],
  'logging.banzaicloud.io/v1beta1 Flow Output': [
    'Healthy',
    'Healthy .active=true',
    'Degraded .active=false .problems=["no~output"]',
  ],
  'velero.io/v1 Backup Restore': VELERO,
  'velero.io/v1 Schedule': [
    'Progressing',
    'Healthy .phase="Enabled"',
    'Degraded .phase="FailedValidation"',
    'Suspended spec.paused=true .phase="Enabled"',
  ],
  'velero.io/v1 BackupStorageLocation': [
    'Progressing',
    'Healthy .phase="Available"',
    'Degraded .phase="Unavailable" .message="no~bucket"',
  ],
  'longhorn.io/v1beta2 Volume': [
    'Progressing',
    'Healthy .state="attached" .robustness="healthy"',
    'Degraded .state="attached" .robustness="degraded"',
    'Degraded .robustness="faulted"',
    'Progressing .state="creating"',
    'Healthy .state="detached" .robustness="unknown"',
  ],
  'longhorn.io/v1beta2 BackupTarget': ['Progressing', 'Healthy .available=true', 'Degraded .available=false'],
  'ceph.rook.io/v1 CephCluster': [
    'Progressing',
    'Healthy .phase="Ready" .ceph.health="HEALTH_OK"',
    'Healthy .phase="Ready" .ceph.health="HEALTH_WARN"',
    'Degraded .phase="Ready" .ceph.health="HEALTH_ERR"',
    'Progressing .phase="Progressing" .ceph.health="HEALTH_OK"',
    'Degraded .phase="Failure"',
  ],
  'ceph.rook.io/v1 CephBlockPool CephFilesystem CephObjectStore CephObjectStoreUser': ROOK,
  'objectbucket.io/v1alpha1 ObjectBucketClaim': [
    'Progressing',
    'Healthy .phase="Bound"',
    'Progressing .phase="Pending"',
    'Degraded .phase="Failed"',
  ],
  'snapshot.storage.k8s.io/v1 VolumeSnapshot VolumeSnapshotContent': SNAPSHOT,
  'kyverno.io/v1 Policy ClusterPolicy': KYVERNO,
  'policies.kyverno.io/v1alpha1 ValidatingPolicy MutatingPolicy': KYVERNO_CEL,
  'templates.gatekeeper.sh/v1 ConstraintTemplate': [
    'Progressing',
    'Healthy .created=true',
    'Degraded .created=true .byPod=[{"errors":[{"code":"parse~error"}]}]',
  ],
  'constraints.gatekeeper.sh/v1beta1 K8sRequiredLabels': [
    'Healthy',
    'Healthy .byPod=[{"enforced":true}]',
    'Degraded .byPod=[{"errors":["no"]}]',
  ],
  'wgpolicyk8s.io/v1alpha2 PolicyReport': ALWAYS,
  'example.com/v1 Thing': [
    'Healthy',
    'Degraded Failed=True',
    'Degraded Degraded=True Ready=True',
    'Progressing Ready=False',
    'Healthy Failed=False Ready=True',
  ],
};
