import { RemovalPolicy } from 'aws-cdk-lib';
import type { Vpc } from 'aws-cdk-lib/aws-ec2';
import {
  Cluster,
  ContainerImage,
  ContainerInsights,
  Secret as EcsSecret,
  FargateTaskDefinition,
  LogDrivers,
} from 'aws-cdk-lib/aws-ecs';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { fargateStorageMinGiB } from '../../src/plan/aws-task-sizes.ts';
import { listObjects } from './functions.ts';
import { keyPrefix } from './storage.ts';

/** Name that the definition's overrides are for. */
export const containerName = 'factorial';

export interface ContainerOptions {
  readonly vpc: Vpc;
  readonly image: string;
  readonly bucket: Bucket;
  readonly databaseUrl: Secret;
  readonly environment: Readonly<Record<string, string>>;
  readonly logRetention: RetentionDays;
}

/** Cluster and task definition of the container tasks; CPU, memory and disk come with each run from the plan. */
export function createContainer(
  scope: Construct,
  options: ContainerOptions,
): { readonly cluster: Cluster; readonly task: FargateTaskDefinition } {
  const cluster = new Cluster(scope, 'Cluster', { vpc: options.vpc, containerInsightsV2: ContainerInsights.ENABLED });
  const task = new FargateTaskDefinition(scope, 'Task', {
    cpu: 2_048,
    memoryLimitMiB: 8_192,
    ephemeralStorageGiB: fargateStorageMinGiB,
  });
  task.addContainer('Container', {
    containerName,
    image: ContainerImage.fromRegistry(options.image),
    essential: true,
    environment: { ...options.environment },
    secrets: { DATABASE_URL: EcsSecret.fromSecretsManager(options.databaseUrl) },
    logging: LogDrivers.awsLogs({
      streamPrefix: 'task',
      logGroup: new LogGroup(scope, 'TaskLogs', {
        retention: options.logRetention,
        removalPolicy: RemovalPolicy.DESTROY,
      }),
    }),
  });
  const objects = options.bucket.arnForObjects(`${keyPrefix}*`);
  const actions = [
    's3:GetObject',
    's3:PutObject',
    's3:DeleteObject',
    's3:AbortMultipartUpload',
    's3:ListMultipartUploadParts',
  ];
  task.addToTaskRolePolicy(new PolicyStatement({ actions, resources: [objects] }));
  task.addToTaskRolePolicy(listObjects(options.bucket));
  return { cluster, task };
}
