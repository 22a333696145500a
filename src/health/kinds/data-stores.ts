/** Databases, brokers and search: their operators report by a condition or by a word. */
import { at, awaited, begins, below, byWord, degraded, each, has, healthy, kindsOf, lacks } from '../rules.ts';
import { on, progressing, settled, suspended, type Rule } from '../rules.ts';

const ALWAYS = { rules: [], otherwise: 'Healthy' } as const;

const STRIMZI: readonly Rule[] = [
  degraded(on('NotReady', 'True')),
  suspended(on('ReconciliationPaused', 'True')),
  ...settled('Ready'),
];
const PERCONA = byWord('status.state', {
  Healthy: ['ready'],
  Degraded: ['error'],
  Suspended: ['paused'],
  Unknown: ['unknown'],
});
const PERCONA_RUN = byWord('status.state', {
  Healthy: ['Succeeded', 'ready', 'Ready'],
  Degraded: ['Failed', 'error', 'Error', 'rejected'],
});
const ELASTIC = [
  degraded(at('status.health', 'red')),
  degraded(at('status.phase', 'Invalid')),
  progressing(at('status.health', 'yellow')),
  progressing(at('status.phase', 'ApplyingChanges', 'MigratingData', 'Stalled')),
  healthy(at('status.health', 'green')),
];
const RABBIT = settled('Ready');
const CONFLUENT = {
  rules: [
    ...byWord('status.phase', { Healthy: ['RUNNING'], Degraded: ['ERROR', 'FAILED'] }),
    ...byWord('status.state', { Healthy: ['CREATED', 'SUCCEEDED', 'RUNNING'], Degraded: ['ERROR', 'FAILED'] }),
  ],
} as const;
const MONGODB = byWord('status.phase', {
  Healthy: ['Running', 'Updated', 'Disabled'],
  Degraded: ['Failed', 'Unsupported'],
});
const SPARK = {
  Healthy: ['RUNNING', 'COMPLETED', 'SUCCEEDING'],
  Degraded: ['FAILED', 'SUBMISSION_FAILED', 'FAILING', 'INVALIDATING'],
  Unknown: ['UNKNOWN'],
};
const KAFKA_WORDS = byWord('status.state', {
  Healthy: ['ClusterRunning', 'created', 'synced'],
  Degraded: ['error', 'failed'],
});

export const DATA_STORES = [
  ...kindsOf('kafka.strimzi.io', {
    Kafka: [progressing(on('NotReady', 'True', 'Creating')), ...STRIMZI],
    'KafkaTopic KafkaUser KafkaConnect KafkaConnector KafkaBridge KafkaMirrorMaker KafkaMirrorMaker2': STRIMZI,
    KafkaNodePool: { rules: [degraded(on('NotReady', 'True'))], otherwise: 'Healthy' },
    KafkaRebalance: [
      degraded(on('NotReady', 'True')),
      healthy(on('Ready', 'True')),
      suspended(on('ProposalReady', 'True')),
      suspended(on('Stopped', 'True')),
    ],
  }),
  ...kindsOf('core.strimzi.io', {
    StrimziPodSet: [progressing(below('status.readyPods', 'status.pods')), healthy(has('status.pods'))],
  }),
  ...kindsOf('kafka.banzaicloud.io', {
    KafkaCluster: byWord('status.state', { Healthy: ['ClusterRunning'] }),
    'KafkaTopic KafkaUser': { rules: KAFKA_WORDS },
  }),
  ...kindsOf('platform.confluent.io', { '*': CONFLUENT }),
  ...kindsOf('cluster.redpanda.com', {
    'Redpanda Topic User Schema Console': settled('Ready'),
  }),
  ...kindsOf('postgresql.cnpg.io', {
    Cluster: [
      healthy(at('status.phase', 'Cluster in healthy state')),
      suspended(begins('status.phase', 'Waiting for user action')),
      degraded(
        begins(
          'status.phase',
          ...['Cluster is unrecoverable', 'Cluster in unhealthy', 'Not enough disk space', 'Unable to create required'],
          ...[
            'Cluster cannot',
            'Cluster has incomplete',
            'Unknown plugin',
            'Failed',
            'Invalid',
            'Cluster upgrade failed',
          ],
          ...['Plugin failed', 'Major upgrade failed', 'Upgrade failed'],
        ),
      ),
      progressing(has('status.phase')),
      ...awaited('Ready'),
    ],
    Backup: byWord('status.phase', { Healthy: ['completed'], Degraded: ['failed', 'walArchivingFailing'] }),
    ScheduledBackup: ALWAYS,
    Pooler: { rules: [progressing(below('status.instances', 'spec.instances', 1))], otherwise: 'Healthy' },
    'Database Publication Subscription': [degraded(at('status.applied', false)), healthy(at('status.applied', true))],
    'ImageCatalog ClusterImageCatalog': ALWAYS,
  }),
  ...kindsOf('acid.zalan.do', {
    postgresql: byWord('status.PostgresClusterStatus', {
      Healthy: ['Running'],
      Degraded: ['CreateFailed', 'UpdateFailed', 'SyncFailed', 'Invalid', 'DeleteFailed'],
    }),
  }),
  ...kindsOf('postgres-operator.crunchydata.com', {
    PostgresCluster: {
      rules: [
        degraded(on('Progressing', 'False')),
        degraded(on('PersistentVolumeResizing', 'False')),
        progressing(on('ProxyAvailable', 'False')),
        progressing(on('PGBackRestReplicaRepoReady', 'False')),
        progressing(lacks('status.instances')),
        each('status.instances', [progressing(below('readyReplicas', 'replicas', 1))], 'Healthy'),
      ],
      otherwise: 'Healthy',
      pauses: [at('spec.shutdown', true)],
    },
    'PGAdmin PGUpgrade': {
      rules: [degraded(on('Succeeded', 'False')), progressing(on('Progressing', 'True'))],
      otherwise: 'Healthy',
    },
  }),
  ...kindsOf('pxc.percona.com', {
    PerconaXtraDBCluster: PERCONA,
    'PerconaXtraDBClusterBackup PerconaXtraDBClusterRestore': PERCONA_RUN,
  }),
  ...kindsOf('psmdb.percona.com', {
    PerconaServerMongoDB: PERCONA,
    'PerconaServerMongoDBBackup PerconaServerMongoDBRestore': PERCONA_RUN,
  }),
  ...kindsOf('pgv2.percona.com', {
    PerconaPGCluster: PERCONA,
    'PerconaPGBackup PerconaPGRestore': PERCONA_RUN,
  }),
  ...kindsOf('ps.percona.com', {
    PerconaServerMySQL: PERCONA,
    'PerconaServerMySQLBackup PerconaServerMySQLRestore': PERCONA_RUN,
  }),
  ...kindsOf('k8s.mariadb.com', {
    '*': awaited('Ready', 'Failed', 'Error', 'CreateFailed'),
    'Backup PhysicalBackup Restore SqlJob': [
      degraded(on('Complete', 'False', 'JobFailed', 'CronJobFailed', 'Failed')),
      suspended(on('Complete', 'False', 'CronJobSuspended', 'JobSuspended')),
      healthy(on('Complete', 'False', 'CronJobScheduled', 'CronJobRunning', 'CronJobSucceeded')),
      healthy(on('Complete', 'True')),
    ],
  }),
  ...kindsOf('mysql.oracle.com', {
    InnoDBCluster: byWord('status.cluster.status', {
      Healthy: ['ONLINE'],
      Degraded: ['OFFLINE', 'ONLINE_PARTIAL', 'INVALID', 'FINALIZING_FAILED', 'NO_QUORUM', 'SPLIT_BRAIN'],
      Unknown: ['UNKNOWN'],
    }),
  }),
  ...kindsOf('mysql.presslabs.org', {
    MysqlCluster: awaited('Ready'),
    MysqlBackup: [degraded(on('Failed', 'True')), healthy(on('Complete', 'True'))],
  }),
  ...kindsOf('moco.cybozu.com', {
    MySQLCluster: [
      degraded(on('Available', 'False')),
      progressing(on('Healthy', 'False')),
      healthy(on('Healthy', 'True')),
    ],
  }),
  ...kindsOf('databases.spotahome.com', { RedisFailover: ALWAYS }),
  ...kindsOf('redis.redis.opstreelabs.in', {
    'Redis RedisReplication RedisSentinel': ALWAYS,
    RedisCluster: byWord('status.state', { Healthy: ['Ready'], Degraded: ['Failed'] }),
  }),
  ...kindsOf('dragonflydb.io', { Dragonfly: byWord('status.phase', { Healthy: ['Ready', 'ready'] }) }),
  ...kindsOf('app.redislabs.com', {
    'RedisEnterpriseCluster RedisEnterpriseDatabase': byWord('status.state', {
      Healthy: ['Running'],
      Degraded: ['Error', 'Invalid', 'InvalidConfiguration', 'InvalidUpgrade'],
    }).concat(byWord('status.status', { Healthy: ['active'], Degraded: ['creation-failed', 'error'] })),
  }),
  ...kindsOf('*.k8s.elastic.co', {
    '*': ELASTIC,
    ElasticsearchAutoscaler: [degraded(on('Healthy', 'False')), healthy(on('Active', 'True'))],
  }),
  ...kindsOf('stackconfigpolicy.k8s.elastic.co', {
    StackConfigPolicy: byWord('status.phase', {
      Healthy: ['Ready'],
      Degraded: ['Error', 'Invalid', 'Conflict'],
    }),
  }),
  ...kindsOf('opensearch.opster.io', {
    OpenSearchCluster: [
      degraded(at('status.health', 'red')),
      progressing(at('status.health', 'yellow')),
      healthy(at('status.phase', 'RUNNING')),
    ],
    '*': byWord('status.state', { Healthy: ['CREATED'], Degraded: ['ERROR', 'IGNORED'] }),
  }),
  ...kindsOf('mongodb.com', { '*': MONGODB }),
  ...kindsOf('mongodbcommunity.mongodb.com', { MongoDBCommunity: MONGODB }),
  ...kindsOf('atlas.mongodb.com', { '*': awaited('Ready') }),
  ...kindsOf('rabbitmq.com', {
    RabbitmqCluster: [
      degraded(on('ReconcileSuccess', 'False', 'Error', 'FailedCLICommand')),
      progressing(on('ReconcileSuccess', ['False', 'Unknown'])),
      progressing(on('AllReplicasReady', ['False', 'Unknown'])),
      degraded(on('ClusterAvailable', 'False')),
      healthy(on('AllReplicasReady', 'True'), on('ClusterAvailable', 'True')),
    ],
    '*': RABBIT,
  }),
  ...kindsOf('jetstream.nats.io', { '*': settled('Ready', 'Pending'), Account: ALWAYS }),
  ...kindsOf('clickhouse.altinity.com', {
    'ClickHouseInstallation ClickHouseKeeperInstallation': byWord('status.status', {
      Healthy: ['Completed'],
      Degraded: ['Aborted'],
    }),
    ClickHouseInstallationTemplate: ALWAYS,
  }),
  ...kindsOf('clickhouse-keeper.altinity.com', {
    ClickHouseKeeperInstallation: byWord('status.status', { Healthy: ['Completed'], Degraded: ['Aborted'] }),
  }),
  ...kindsOf('cassandra.datastax.com', {
    CassandraDatacenter: [
      suspended(on('Stopped', 'True')),
      degraded(on('Valid', 'False')),
      progressing(at('status.cassandraOperatorProgress', 'Updating')),
      healthy(on('Ready', 'True')),
    ],
    CassandraTask: [degraded(on('Failed', 'True')), healthy(on('Complete', 'True'))],
  }),
  ...kindsOf('k8ssandra.io', {
    K8ssandraCluster: [
      degraded(has('status.error'), lacks('status.datacenters')),
      healthy(on('CassandraInitialized', 'True')),
    ],
  }),
  ...kindsOf('scylla.scylladb.com', {
    '*': [
      degraded(on('Degraded', 'True')),
      progressing(on('Progressing', 'True')),
      degraded(on('Available', 'False')),
      healthy(on('Available', 'True')),
    ],
  }),
  ...kindsOf('pingcap.com', {
    TidbCluster: awaited('Ready'),
    'Backup Restore': [
      degraded(on('Failed', 'True')),
      degraded(on('Invalid', 'True')),
      healthy(on('Complete', 'True')),
    ],
  }),
  ...kindsOf('crdb.cockroachlabs.com', {
    CrdbCluster: byWord('status.clusterStatus', { Healthy: ['Finished'], Degraded: ['Failed'] }),
  }),
  ...kindsOf('zookeeper.pravega.io', {
    ZookeeperCluster: [
      degraded(on('Error', 'True')),
      progressing(on('Upgrading', 'True')),
      healthy(on('PodsReady', 'True')),
    ],
  }),
  ...kindsOf('solr.apache.org', {
    SolrCloud: [progressing(below('status.readyReplicas', 'spec.replicas', 3)), healthy(has('status.readyReplicas'))],
  }),
  ...kindsOf('druid.apache.org', {
    Druid: { rules: [degraded(on('druidNodeErrorState', 'True'))], otherwise: 'Healthy' },
  }),
  ...kindsOf('minio.min.io', {
    Tenant: [
      degraded(at('status.healthStatus', 'red')),
      progressing(at('status.healthStatus', 'yellow')),
      healthy(at('status.currentState', 'Initialized')),
    ],
    PolicyBinding: byWord('status.currentState', { Healthy: ['Ready'] }),
  }),
  ...kindsOf('databases.schemahero.io', {
    Table: ALWAYS,
    Migration: byWord('status.phase', {
      Healthy: ['EXECUTED'],
      Degraded: ['INVALID', 'REJECTED'],
      Suspended: ['PLANNED'],
    }),
  }),
  ...kindsOf('db.atlasgo.io', { '*': settled('Ready', 'Reconciling', 'TransientErr', 'ApprovalPending') }),
  ...kindsOf('flink.apache.org', {
    FlinkDeployment: [
      degraded(at('status.lifecycleState', 'FAILED')),
      degraded(at('status.jobStatus.state', 'FAILED')),
      degraded(at('status.jobManagerDeploymentStatus', 'ERROR')),
      suspended(at('status.lifecycleState', 'SUSPENDED')),
      suspended(at('status.jobStatus.state', 'SUSPENDED')),
      degraded(at('status.lifecycleState', 'ROLLED_BACK')),
      healthy(at('status.lifecycleState', 'STABLE')),
      progressing(has('status.lifecycleState')),
      healthy(at('status.jobManagerDeploymentStatus', 'READY'), at('status.jobStatus.state', 'RUNNING', 'FINISHED')),
    ],
    FlinkSessionJob: [
      degraded(at('status.lifecycleState', 'FAILED', 'ROLLED_BACK')),
      suspended(at('status.lifecycleState', 'SUSPENDED')),
      healthy(at('status.lifecycleState', 'STABLE')),
      healthy(at('status.jobStatus.state', 'RUNNING', 'FINISHED')),
    ],
  }),
  ...kindsOf('sparkoperator.k8s.io', {
    SparkApplication: byWord('status.applicationState.state', SPARK),
    ScheduledSparkApplication: byWord('status.scheduleState', {
      Healthy: ['Scheduled'],
      Degraded: ['FailedValidation'],
    }),
  }),
  ...kindsOf('hazelcast.com', {
    Hazelcast: byWord('status.phase', { Healthy: ['Running'], Degraded: ['Failed'] }),
    '*': byWord('status.state', { Healthy: ['Success'], Degraded: ['Failed'] }),
  }),
  ...kindsOf('coherence.oracle.com', {
    Coherence: [
      degraded(on('Failed', 'True')),
      suspended(on('Stopped', 'True')),
      healthy(at('status.phase', 'Ready', 'Completed')),
    ],
  }),
  ...kindsOf('core.humio.com', {
    HumioCluster: byWord('status.state', { Healthy: ['Running'], Degraded: ['ConfigError'] }),
    '*': byWord('status.state', {
      Healthy: ['Exists', 'Running'],
      Degraded: ['ConfigError', 'NotFound'],
      Unknown: ['Unknown'],
    }),
  }),
  ...kindsOf('starrocks.com', {
    StarRocksCluster: byWord('status.phase', { Healthy: ['running'], Degraded: ['failed'] }),
  }),
  ...kindsOf('aiven.io', {
    '*': [degraded(on('Error', 'True')), healthy(on('Running', 'True')), healthy(at('status.state', 'RUNNING'))],
  }),
];
