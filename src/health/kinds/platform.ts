/** Observability, storage, backup and policy: Prometheus, Grafana, Velero, Longhorn, Rook, snapshots, Kyverno. */
import { allOf, at, awaited, byWord, degraded, each, has, healthy, kindsOf } from '../rules.ts';
import { on, progressing, settled, suspended, type Rule } from '../rules.ts';

const ALWAYS = { rules: [], otherwise: 'Healthy' } as const;

/** Available is Degraded while some Pods are missing; an update has Reconciled True meanwhile. */
const PROMETHEUS = {
  rules: [
    degraded(on('Reconciled', 'False')),
    progressing(on('Available', 'False', 'SomePodsNotReady')),
    degraded(on('Available', ['False', 'Degraded'])),
    healthy(on('Available', 'True')),
  ],
  pauses: [at('spec.paused', true)],
} as const;
/** Since its version 0.86 the operator reports for each workload whether it has accepted the object. */
const BOUND = {
  rules: [each('status.bindings', [degraded(on('Accepted', 'False'))], 'Healthy')],
  otherwise: 'Healthy',
} as const;

const GRAFANA_PART: readonly Rule[] = [
  ...['DashboardSynchronized', 'DatasourceSynchronized', 'FolderSynchronized', 'AlertGroupSynchronized'].map((type) =>
    degraded(on(type, 'False')),
  ),
  ...['ContactPointSynchronized', 'NotificationPolicySynchronized', 'LibraryPanelSynchronized'].map((type) =>
    degraded(on(type, 'False')),
  ),
  degraded(on('InvalidSpec', 'True')),
  degraded(on('NoMatchingInstance', 'True')),
  degraded(on('NoMatchingFolder', 'True')),
];
const VICTORIA = {
  rules: byWord('status.updateStatus', {
    Healthy: ['operational'],
    Degraded: ['failed'],
    Suspended: ['paused'],
  }),
} as const;
const KYVERNO: readonly Rule[] = [
  degraded(on('Ready', 'False')),
  healthy(on('Ready', 'True')),
  healthy(at('status.ready', true)),
  degraded(at('status.ready', false)),
];
const KYVERNO_CEL: readonly Rule[] = [
  each('status.conditionStatus.conditions', [degraded(at('status', 'False'))], 'Healthy'),
  healthy(at('status.conditionStatus.ready', true)),
  degraded(at('status.conditionStatus.ready', false)),
  ...settled('Ready'),
];
const VELERO_RUN = byWord('status.phase', {
  Healthy: ['Completed'],
  Degraded: ['Failed', 'PartiallyFailed', 'FailedValidation', 'FinalizingPartiallyFailed', 'Canceled'],
});
const VELERO_PLACE = byWord('status.phase', { Healthy: ['Available', 'Ready'], Degraded: ['Unavailable', 'NotReady'] });
const ROOK = byWord('status.phase', {
  Healthy: ['Ready', 'Connected', 'Created'],
  Degraded: ['Failure', 'Failed', 'Error', 'ReconcileFailed'],
});
const SNAPSHOT = [healthy(at('status.readyToUse', true)), degraded(has('status.error'))];

export const PLATFORM = [
  ...kindsOf('monitoring.coreos.com', {
    'Prometheus PrometheusAgent Alertmanager ThanosRuler': PROMETHEUS,
    'ServiceMonitor PodMonitor Probe ScrapeConfig PrometheusRule AlertmanagerConfig': BOUND,
  }),
  ...kindsOf('operator.victoriametrics.com', {
    'VMCluster VMAgent VMSingle VMAlert VMAlertmanager VMAuth VLogs VLSingle VLCluster VMAnomaly': VICTORIA,
    '*': { ...VICTORIA, otherwise: 'Healthy' },
  }),
  ...kindsOf('grafana.integreatly.org', {
    Grafana: [
      degraded(at('status.stageStatus', 'failed')),
      degraded(on('GrafanaReady', 'False')),
      healthy(at('status.stage', 'complete'), at('status.stageStatus', 'success')),
    ],
    '*': { rules: GRAFANA_PART, otherwise: 'Healthy' },
  }),
  ...kindsOf('loki.grafana.com', {
    LokiStack: [
      degraded(on('Failed', 'True')),
      degraded(on('Degraded', 'True')),
      progressing(on('Pending', 'True')),
      healthy(on('Ready', 'True')),
    ],
    'AlertingRule RecordingRule RulerConfig': ALWAYS,
  }),
  ...kindsOf('tempo.grafana.com', {
    'TempoStack TempoMonolithic': [
      degraded(on('Failed', 'True')),
      degraded(on('ConfigurationError', 'True')),
      progressing(on('Pending', 'True')),
      healthy(on('Ready', 'True')),
    ],
  }),
  ...kindsOf('opentelemetry.io', { 'OpenTelemetryCollector Instrumentation OpAMPBridge TargetAllocator': ALWAYS }),
  ...kindsOf('jaegertracing.io', { Jaeger: byWord('status.phase', { Healthy: ['Running'], Degraded: ['Failed'] }) }),
  ...kindsOf('logging.banzaicloud.io', {
    'Flow ClusterFlow Output ClusterOutput': {
      rules: [degraded(at('status.active', false)), degraded(has('status.problems'))],
      otherwise: 'Healthy',
    },
    Logging: { rules: [degraded(has('status.problems'))], otherwise: 'Healthy' },
  }),
  ...kindsOf('logging.openshift.io', {
    'ClusterLogging ClusterLogForwarder': [...settled('Ready'), healthy(on('Valid', 'True'))],
  }),
  ...kindsOf('observability.openshift.io', { ClusterLogForwarder: settled('Ready') }),
  ...kindsOf('datadoghq.com', {
    DatadogMetric: [degraded(on('Error', 'True')), healthy(on('Valid', 'True'))],
    DatadogAgent: [
      degraded(on('DatadogAgentReconcileError', 'True')),
      healthy(on('Active', 'True')),
      healthy(has('status.agent')),
    ],
    'DatadogMonitor DatadogSLO DatadogDashboard': [
      degraded(on('Error', 'True')),
      degraded(at('status.syncStatus', 'ERROR')),
      healthy(has('status.id')),
      healthy(on('Active', 'True')),
      healthy(on('Created', 'True')),
    ],
  }),
  ...kindsOf('dynatrace.com', { DynaKube: byWord('status.phase', { Healthy: ['Running'], Degraded: ['Error'] }) }),
  ...kindsOf('perses.dev', { '*': [degraded(on('Degraded', 'True')), healthy(on('Available', 'True'))] }),
  ...kindsOf('coralogix.com', { '*': settled('RemoteSynced') }),
  ...kindsOf('kiali.io', {
    Kiali: [
      degraded(on('Failure', 'True')),
      healthy(on('Successful', 'True')),
      healthy(on('Running', 'True', 'Successful')),
    ],
  }),
  ...kindsOf('velero.io', {
    'Backup Restore PodVolumeBackup PodVolumeRestore DataUpload DataDownload': VELERO_RUN,
    Schedule: {
      rules: byWord('status.phase', { Healthy: ['Enabled'], Degraded: ['FailedValidation'] }),
      pauses: [at('spec.paused', true)],
    },
    'BackupStorageLocation BackupRepository': VELERO_PLACE,
    VolumeSnapshotLocation: { rules: VELERO_PLACE, otherwise: 'Healthy' },
    DeleteBackupRequest: [degraded(has('status.errors')), healthy(at('status.phase', 'Processed'))],
  }),
  ...kindsOf('oadp.openshift.io', { DataProtectionApplication: settled('Reconciled') }),
  ...kindsOf('k8up.io', {
    'Backup Restore Archive Check Prune': [
      degraded(on('Completed', 'True', 'Failed')),
      healthy(on('Completed', 'True')),
    ],
    Schedule: { rules: [degraded(on('Ready', 'False'))], otherwise: 'Healthy' },
  }),
  ...kindsOf('longhorn.io', {
    Volume: [
      degraded(at('status.robustness', 'faulted')),
      degraded(at('status.robustness', 'degraded')),
      healthy(at('status.robustness', 'healthy')),
      healthy(at('status.state', 'detached', 'attached')),
    ],
    'Engine Replica InstanceManager ShareManager': byWord('status.currentState', {
      Healthy: ['running', 'stopped'],
      Degraded: ['error'],
      Unknown: ['unknown'],
    }).concat(byWord('status.state', { Healthy: ['running', 'stopped'], Degraded: ['error'] })),
    Node: awaited('Ready', 'ManagerPodDown', 'KubernetesNodeDown', 'KubernetesNodeGone'),
    BackupTarget: [degraded(at('status.available', false)), healthy(at('status.available', true))],
    BackingImage: { rules: [degraded(has('status.error'))], otherwise: 'Healthy' },
    'Backup Snapshot': [
      degraded(has('status.error')),
      degraded(at('status.state', 'Error')),
      healthy(at('status.state', 'Completed')),
      healthy(at('status.readyToUse', true)),
    ],
    'RecurringJob Setting': ALWAYS,
  }),
  ...kindsOf('ceph.rook.io', {
    CephCluster: [
      degraded(at('status.ceph.health', 'HEALTH_ERR')),
      degraded(at('status.phase', 'Failure', 'Error')),
      degraded(at('status.state', 'Error')),
      progressing(at('status.phase', 'Progressing', 'Connecting', 'Updating')),
      healthy(at('status.ceph.health', 'HEALTH_OK', 'HEALTH_WARN')),
      healthy(at('status.phase', 'Ready', 'Connected')),
    ],
    CephBucketNotification: ALWAYS,
    '*': ROOK,
  }),
  ...kindsOf('objectbucket.io', {
    ObjectBucketClaim: byWord('status.phase', { Healthy: ['Bound', 'bound'], Degraded: ['Failed', 'failed'] }),
    ObjectBucket: byWord('status.phase', { Healthy: ['Bound', 'bound'], Degraded: ['Failed', 'failed'] }),
  }),
  ...kindsOf('ocs.openshift.io', {
    StorageCluster: byWord('status.phase', { Healthy: ['Ready'], Degraded: ['Error'], Suspended: ['Ignored'] }),
  }),
  ...kindsOf('snapshot.storage.k8s.io', {
    'VolumeSnapshot VolumeSnapshotContent': SNAPSHOT,
    VolumeSnapshotClass: ALWAYS,
  }),
  ...kindsOf('groupsnapshot.storage.k8s.io', {
    'VolumeGroupSnapshot VolumeGroupSnapshotContent': SNAPSHOT,
    VolumeGroupSnapshotClass: ALWAYS,
  }),
  ...kindsOf('volsync.backube', {
    'ReplicationSource ReplicationDestination': {
      rules: [
        degraded(at('status.latestMoverStatus.result', 'Failed')),
        degraded(on('Synchronizing', 'False', 'Error')),
        healthy(at('status.latestMoverStatus.result', 'Successful')),
        healthy(has('status.lastSyncTime')),
        suspended(on('Synchronizing', 'False', 'WaitingForManual')),
      ],
      pauses: [at('spec.paused', true)],
    },
  }),
  ...kindsOf('trident.netapp.io', {
    TridentBackendConfig: [
      degraded(at('status.lastOperationStatus', 'Failed')),
      degraded(at('status.phase', 'Lost')),
      healthy(at('status.phase', 'Bound')),
    ],
    TridentOrchestrator: byWord('status.status', { Healthy: ['Installed'], Degraded: ['Failed', 'Error'] }),
  }),
  ...kindsOf('kyverno.io', {
    'Policy ClusterPolicy': KYVERNO,
    'CleanupPolicy ClusterCleanupPolicy': { rules: KYVERNO, otherwise: 'Healthy' },
    UpdateRequest: byWord('status.state', { Healthy: ['Completed', 'Skip'], Degraded: ['Failed'] }),
    'PolicyException GlobalContextEntry': { rules: settled('Ready'), otherwise: 'Healthy' },
  }),
  ...kindsOf('policies.kyverno.io', {
    'PolicyException DeletingPolicy': { rules: KYVERNO_CEL, otherwise: 'Healthy' },
    '*': KYVERNO_CEL,
  }),
  ...kindsOf('wgpolicyk8s.io', { '*': ALWAYS }),
  ...kindsOf('aquasecurity.github.io', { '*': ALWAYS }),
  ...kindsOf('templates.gatekeeper.sh', {
    ConstraintTemplate: [
      each('status.byPod', [degraded(has('errors'))], 'Healthy'),
      healthy(at('status.created', true)),
    ],
  }),
  ...kindsOf('constraints.gatekeeper.sh', {
    '*': { rules: [each('status.byPod', [degraded(has('errors'))], 'Healthy')], otherwise: 'Healthy' },
  }),
  ...kindsOf('hnc.x-k8s.io', {
    HierarchyConfiguration: {
      rules: [degraded(on('ActivitiesHalted', 'True')), degraded(on('BadConfiguration', 'True'))],
      otherwise: 'Healthy',
    },
    SubnamespaceAnchor: byWord('status.status', { Healthy: ['Ok'], Degraded: ['Conflict', 'Forbidden'] }),
  }),
  ...kindsOf('policies.kubewarden.io', {
    '*': byWord('status.policyStatus', { Healthy: ['active'], Unknown: ['unschedulable'] }),
    PolicyServer: [
      degraded(on('DeploymentReconciled', 'False')),
      ...allOf('DeploymentReconciled', 'ServiceReconciled'),
    ],
  }),
  ...kindsOf('capsule.clastix.io', {
    Tenant: [
      degraded(on('Ready', 'False')),
      suspended(on('Cordoned', 'True')),
      healthy(on('Ready', 'True')),
      healthy(at('status.state', 'Active')),
      suspended(at('status.state', 'Cordoned')),
    ],
  }),
  ...kindsOf('nfd.k8s-sigs.io', { 'NodeFeatureRule NodeFeature': ALWAYS }),
  ...kindsOf('metallb.io', { 'IPAddressPool L2Advertisement BGPAdvertisement BGPPeer': ALWAYS }),
  ...kindsOf('crd.projectcalico.org', { '*': ALWAYS }),
];
