/** Infrastructure: Crossplane, Config Connector, ACK, Azure, Cluster API, Karpenter, OpenShift. */
import { annotated, at, awaited, below, byWord, degraded, fails, has, healthy } from '../rules.ts';
import { kindsOf, on, progressing, settled, suspended, unknown, type Rule } from '../rules.ts';

const ALWAYS = { rules: [], otherwise: 'Healthy' } as const;

/** Managed resources, claims and composites. They are not Ready while the cloud creates them. */
const CROSSPLANE = {
  rules: [
    suspended(on('Synced', 'False', 'ReconcilePaused')),
    degraded(on('Synced', 'False')),
    degraded(on('LastAsyncOperation', 'False')),
    degraded(on('AsyncOperation', 'False', 'Failed')),
    healthy(on('Ready', 'True')),
  ],
  pauses: [annotated('crossplane.io/paused', 'true')],
} as const;

/** Kinds of Crossplane's groups that only configure: no controller reports on most of them. */
const CROSSPLANE_SETTINGS = {
  rules: [degraded(on('Synced', 'False')), degraded(on('Ready', 'False'))],
  otherwise: 'Healthy',
} as const;
const SETTINGS_KINDS = [
  ...['ProviderConfig', 'ProviderConfigUsage', 'ClusterProviderConfig', 'ClusterProviderConfigUsage', 'StoreConfig'],
  ...['Composition', 'CompositionRevision', 'EnvironmentConfig', 'DeploymentRuntimeConfig', 'ControllerConfig'],
  ...['ImageConfig', 'Usage', 'ClusterUsage', 'ManagedResourceActivationPolicy', 'PackagePullSecret'],
].join(' ');
const CROSSPLANE_KINDS = { '*': CROSSPLANE, [SETTINGS_KINDS]: CROSSPLANE_SETTINGS };

const PACKAGE: readonly Rule[] = [
  progressing(on('Installed', 'False', 'UnpackingPackage')),
  suspended(on('Installed', 'False', 'InactivePackageRevision')),
  degraded(on('Installed', 'False')),
  degraded(on('Healthy', 'False')),
  healthy(on('Installed', 'True'), on('Healthy', 'True')),
];
const REVISION: readonly Rule[] = [
  degraded(on('Healthy', 'False')),
  degraded(on('RevisionHealthy', 'False')),
  degraded(on('RuntimeHealthy', 'False')),
  healthy(on('Healthy', 'True')),
  healthy(on('RevisionHealthy', 'True')),
];

/** Config Connector: False is progress, unless its reason says that the last change has failed. */
const CONFIG_CONNECTOR = awaited(
  'Ready',
  ...['UpdateFailed', 'DeleteFailed', 'DependencyInvalid', 'ManagementConflict', 'PreconditionFailed'],
  ...['UpdateUnknown', 'ReconcileFailed', 'Error'],
);

const ACK: readonly Rule[] = [
  degraded(on('ACK.Terminal', 'True')),
  progressing(on('ACK.ReferencesResolved', ['False', 'Unknown'])),
  degraded(on('ACK.Recoverable', 'True')),
  healthy(on('ACK.Ready', 'True')),
  progressing(on('ACK.ResourceSynced', 'False')),
  healthy(on('ACK.ResourceSynced', 'True')),
];

const AZURE: readonly Rule[] = [
  progressing(fails('Ready', 'Warning', 'Info', '')),
  degraded(on('Ready', 'False')),
  healthy(on('Ready', 'True')),
];

const PAUSED_CLUSTER = [at('spec.paused', true), annotated('cluster.x-k8s.io/paused')];
/** While a cluster is provisioned its conditions are False with severity Info. */
const CLUSTER_PART: readonly Rule[] = [
  degraded(at('status.phase', 'Failed')),
  degraded(has('status.failureReason')),
  degraded(fails('Ready', 'Error')),
  healthy(on('Ready', 'True')),
  progressing(on('Ready')),
  healthy(on('Available', 'True')),
  healthy(at('status.ready', true)),
  healthy(at('status.initialization.provisioned', true)),
];
const PARTS = { rules: CLUSTER_PART, pauses: PAUSED_CLUSTER } as const;
/** No controller reports on them. */
const TEMPLATES = '*Template *Identity ClusterClass';

export const CLOUDS = [
  ...kindsOf('pkg.crossplane.io', {
    'Provider Configuration Function': PACKAGE,
    'ProviderRevision ConfigurationRevision FunctionRevision': {
      rules: REVISION,
      pauses: [at('spec.desiredState', 'Inactive')],
    },
    'Lock DeploymentRuntimeConfig ControllerConfig ImageConfig': ALWAYS,
  }),
  ...kindsOf('apiextensions.crossplane.io', {
    CompositeResourceDefinition: [
      degraded(on('Established', 'False')),
      degraded(on('Offered', 'False')),
      healthy(on('Established', 'True')),
    ],
    ManagedResourceDefinition: {
      rules: [degraded(on('Established', 'False', 'TerminatingManaged')), healthy(on('Established', 'True'))],
      pauses: [at('spec.state', 'Inactive')],
    },
    'Composition CompositionRevision EnvironmentConfig Usage': CROSSPLANE_SETTINGS,
  }),
  ...kindsOf('protection.crossplane.io', { '*': CROSSPLANE_SETTINGS }),
  ...kindsOf('*.crossplane.io', CROSSPLANE_KINDS),
  ...kindsOf('*.upbound.io', CROSSPLANE_KINDS),
  ...kindsOf('*.cnrm.cloud.google.com', { '*': CONFIG_CONNECTOR }),
  ...kindsOf('core.cnrm.cloud.google.com', {
    'ConfigConnector ConfigConnectorContext': [
      healthy(at('status.healthy', true)),
      degraded(at('status.healthy', false)),
    ],
  }),
  ...kindsOf('*.services.k8s.aws', { '*': ACK }),
  ...kindsOf('services.k8s.aws', { '*': ALWAYS }),
  ...kindsOf('*.azure.com', { '*': AZURE }),
  ...kindsOf('cluster.x-k8s.io', {
    Cluster: {
      rules: [
        degraded(at('status.phase', 'Failed')),
        degraded(has('status.failureReason')),
        degraded(fails('Ready', 'Error')),
        progressing(at('status.phase', 'Pending', 'Provisioning', 'Deleting')),
        progressing(fails('Ready', 'Info')),
        degraded(on('Ready', 'False')),
        progressing(on('Available', 'False')),
        healthy(at('status.phase', 'Provisioned')),
      ],
      pauses: PAUSED_CLUSTER,
    },
    Machine: {
      rules: [
        degraded(at('status.phase', 'Failed')),
        degraded(has('status.failureReason')),
        degraded(fails('Ready', 'Error')),
        unknown(at('status.phase', 'Unknown')),
        degraded(at('status.phase', 'Running'), on('NodeHealthy', 'False')),
        healthy(at('status.phase', 'Running')),
      ],
      pauses: PAUSED_CLUSTER,
    },
    'MachineDeployment MachinePool': {
      rules: [
        ...byWord('status.phase', {
          Degraded: ['Failed'],
          Progressing: ['ScalingUp', 'ScalingDown', 'Scaling', 'Pending', 'Provisioning', 'Provisioned'],
          Unknown: ['Unknown'],
          Healthy: ['Running'],
        }),
        ...CLUSTER_PART,
      ],
      pauses: PAUSED_CLUSTER,
    },
    MachineSet: {
      rules: [
        degraded(has('status.failureReason')),
        progressing(below('status.readyReplicas', 'spec.replicas', 1)),
        progressing(below('status.availableReplicas', 'spec.replicas', 1)),
      ],
      otherwise: 'Healthy',
      pauses: PAUSED_CLUSTER,
    },
    MachineHealthCheck: {
      rules: [
        degraded(on('RemediationAllowed', 'False')),
        progressing(below('status.currentHealthy', 'status.expectedMachines')),
        healthy(has('status.expectedMachines')),
        healthy(on('RemediationAllowed', 'True')),
      ],
      pauses: PAUSED_CLUSTER,
    },
    [TEMPLATES]: ALWAYS,
  }),
  ...kindsOf('controlplane.cluster.x-k8s.io', { '*': PARTS, [TEMPLATES]: ALWAYS }),
  ...kindsOf('bootstrap.cluster.x-k8s.io', { '*': PARTS, [TEMPLATES]: ALWAYS }),
  ...kindsOf('infrastructure.cluster.x-k8s.io', { '*': PARTS, [TEMPLATES]: ALWAYS }),
  ...kindsOf('addons.cluster.x-k8s.io', {
    ClusterResourceSet: { rules: settled('ResourcesApplied'), pauses: PAUSED_CLUSTER },
    'HelmChartProxy HelmReleaseProxy': PARTS,
  }),
  ...kindsOf('operator.cluster.x-k8s.io', { '*': settled('Ready', 'WaitingForCoreProviderReady') }),
  ...kindsOf('metal3.io', {
    BareMetalHost: [
      degraded(at('status.operationalStatus', 'error')),
      healthy(
        at('status.provisioning.state', 'provisioned', 'available', 'ready', 'externally provisioned', 'unmanaged'),
      ),
    ],
  }),
  ...kindsOf('karpenter.sh', {
    NodePool: settled('Ready'),
    NodeClaim: [suspended(on('Disrupting', 'True')), degraded(on('Launched', 'False')), ...settled('Ready')],
    Provisioner: settled('Active'),
  }),
  ...kindsOf('karpenter.k8s.aws', { EC2NodeClass: settled('Ready'), AWSNodeTemplate: settled('Ready') }),
  ...kindsOf('karpenter.azure.com', { AKSNodeClass: settled('Ready') }),
  ...kindsOf('apps.openshift.io', {
    DeploymentConfig: {
      rules: [
        degraded(on('Progressing', 'False', 'ProgressDeadlineExceeded', 'RolloutFailed', 'Cancelled')),
        progressing(below('status.updatedReplicas', 'spec.replicas', 1)),
        progressing(below('status.availableReplicas', 'spec.replicas', 1)),
      ],
      otherwise: 'Healthy',
      pauses: [at('spec.paused', true)],
    },
  }),
  ...kindsOf('build.openshift.io', {
    Build: byWord('status.phase', { Healthy: ['Complete'], Degraded: ['Failed', 'Error', 'Cancelled'] }),
    BuildConfig: ALWAYS,
  }),
  ...kindsOf('image.openshift.io', { ImageStream: ALWAYS }),
  ...kindsOf('config.openshift.io', {
    'ClusterOperator ClusterVersion': [
      degraded(on('Degraded', 'True')),
      degraded(on('Failing', 'True')),
      degraded(on('Available', 'False')),
      progressing(on('Progressing', 'True')),
      healthy(on('Available', 'True')),
    ],
  }),
  ...kindsOf('operator.openshift.io', {
    '*': {
      rules: [
        degraded(on('Degraded', 'True')),
        degraded(on('Available', 'False')),
        progressing(on('Progressing', 'True')),
      ],
      otherwise: 'Healthy',
    },
  }),
  ...kindsOf('machineconfiguration.openshift.io', {
    MachineConfigPool: {
      rules: [
        degraded(on('Degraded', 'True')),
        degraded(on('RenderDegraded', 'True')),
        degraded(on('NodeDegraded', 'True')),
        progressing(on('Updating', 'True')),
        healthy(on('Updated', 'True')),
      ],
      pauses: [at('spec.paused', true)],
    },
    MachineConfig: ALWAYS,
  }),
  ...kindsOf('machine.openshift.io', {
    Machine: byWord('status.phase', { Healthy: ['Running'], Degraded: ['Failed'] }),
    MachineSet: {
      rules: [degraded(has('status.errorReason')), progressing(below('status.readyReplicas', 'spec.replicas', 1))],
      otherwise: 'Healthy',
    },
  }),
  ...kindsOf('nmstate.io', {
    NodeNetworkConfigurationPolicy: [
      degraded(on('Degraded', 'True')),
      healthy(on('Available', 'True')),
      suspended(on('Ignored', 'True')),
    ],
    NodeNetworkConfigurationEnactment: [
      degraded(on('Failing', 'True')),
      suspended(on('Aborted', 'True')),
      healthy(on('Available', 'True')),
    ],
  }),
  ...kindsOf('nvidia.com', {
    ClusterPolicy: [
      degraded(on('Error', 'True')),
      healthy(at('status.state', 'ready')),
      suspended(at('status.state', 'ignored')),
    ],
  }),
  ...kindsOf('operator.tigera.io', {
    'TigeraStatus Installation APIServer': [
      degraded(on('Degraded', 'True')),
      progressing(on('Progressing', 'True')),
      healthy(on('Available', 'True')),
      healthy(on('Ready', 'True')),
    ],
  }),
  ...kindsOf('services.cloud.sap.com', {
    'ServiceInstance ServiceBinding': [
      degraded(on('Failed', 'True')),
      degraded(on('Succeeded', 'False', 'CreateFailed', 'UpdateFailed', 'DeleteFailed')),
      progressing(on('Succeeded', 'False')),
      healthy(on('Ready', 'True')),
    ],
  }),
  ...kindsOf('ibmcloud.ibm.com', {
    'Service Binding': byWord('status.state', { Healthy: ['Online'], Degraded: ['Failed'] }),
  }),
  ...kindsOf('tinkerbell.org', {
    Workflow: byWord('status.state', {
      Healthy: ['STATE_SUCCESS', 'SUCCESS'],
      Degraded: ['STATE_FAILED', 'STATE_TIMEOUT', 'FAILED', 'TIMEOUT'],
    }),
    'Hardware Template': ALWAYS,
  }),
  ...kindsOf('vmoperator.vmware.com', {
    VirtualMachine: [degraded(on('VirtualMachineCreated', 'False')), healthy(on('VirtualMachineCreated', 'True'))],
  }),
  ...kindsOf('hive.openshift.io', {
    ClusterDeployment: [
      degraded(on('ProvisionFailed', 'True')),
      degraded(on('ProvisionStopped', 'True')),
      healthy(at('spec.installed', true)),
    ],
  }),
  ...kindsOf('ipam.cluster.x-k8s.io', {
    IPAddressClaim: [...settled('Ready', 'AllocationPending'), healthy(has('status.addressRef'))],
    IPAddress: ALWAYS,
  }),
  ...kindsOf('sriovnetwork.openshift.io', {
    SriovNetworkNodeState: byWord('status.syncStatus', { Healthy: ['Succeeded'], Degraded: ['Failed'] }),
    'SriovNetwork SriovNetworkNodePolicy': ALWAYS,
  }),
];
