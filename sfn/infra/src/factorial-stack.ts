import { CfnOutput, SecretValue, Stack, type StackProps, Tags } from 'aws-cdk-lib';
import { GatewayVpcEndpointAwsService, Port, SecurityGroup, SubnetType, Vpc } from 'aws-cdk-lib/aws-ec2';
import { Key } from 'aws-cdk-lib/aws-kms';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { createAlarms } from './alarms.ts';
import { createContainer } from './container.ts';
import { createDatabase } from './database.ts';
import { createFunctions } from './functions.ts';
import type { StackOptions } from './stack-options.ts';
import { createBucket } from './storage.ts';
import { createStateMachine, createWorkerPolicy } from './workflow.ts';

/** Everything the large factorials need on AWS: where digits and metadata are kept, and what computes them. */
export class FactorialStack extends Stack {
  constructor(scope: Construct, id: string, options: StackOptions, props?: StackProps) {
    super(scope, id, {
      description: 'Exact factorials: storage, metadata and the state machine of large ones',
      ...props,
    });
    // The values are numbers of days.
    const logRetention: RetentionDays = options.logRetentionDays;
    const vpc = createNetwork(this);
    const tasks = new SecurityGroup(this, 'TaskSecurityGroup', { vpc, description: 'Tasks of the state machine' });
    const database = new SecurityGroup(this, 'DatabaseSecurityGroup', { vpc, allowAllOutbound: false });
    database.addIngressRule(tasks, Port.tcp(options.database === 'postgres' ? 5432 : 3306), 'from the tasks');

    const bucket = createBucket(this);
    const { instance, url } = createDatabase(this, vpc, {
      kind: options.database,
      securityGroup: database,
    });
    const key = new Key(this, 'Key', { enableKeyRotation: true, description: 'Secrets of the factorial service' });
    const databaseUrl = new Secret(this, 'DatabaseUrl', {
      encryptionKey: key,
      // A reference that is resolved at deployment: the template holds no password.
      secretStringValue: SecretValue.unsafePlainText(url),
    });
    const environment = {
      S3_BUCKET: bucket.bucketName,
      VERIFY_READBACK_MAX_BYTES: options.verifyReadbackMaxBytes,
      DATABASE_CA_FILE: 'rds',
    };

    const shared = { vpc, bucket, logRetention };
    const functionEnvironment = { ...environment, DATABASE_URL: url };
    const functions = createFunctions(this, {
      ...shared,
      securityGroup: tasks,
      key,
      environment: functionEnvironment,
      announcingEnvironment: brokerEnvironment(options.brokerUrlSecretArn),
    });
    const { cluster, task } = createContainer(this, { ...shared, image: options.image, databaseUrl, environment });
    const stateMachine = createStateMachine(this, {
      vpc,
      functions,
      cluster,
      task,
      taskSecurityGroup: tasks,
      logRetention,
    });
    const workerPolicy = createWorkerPolicy(this, stateMachine);
    createAlarms(this, { stateMachine, cleanUp: functions['clean-up'], database: instance, email: options.alarmEmail });

    new CfnOutput(this, 'StateMachineArn', { value: stateMachine.stateMachineArn });
    new CfnOutput(this, 'BucketName', { value: bucket.bucketName });
    new CfnOutput(this, 'DatabaseUrlSecretArn', { value: databaseUrl.secretArn });
    new CfnOutput(this, 'WorkerPolicyArn', { value: workerPolicy.managedPolicyArn });
    Tags.of(this).add('service', 'factorial');
  }
}

/** The broker's address, resolved at deployment; nothing where outcomes are not announced. */
function brokerEnvironment(secretArn: string): Readonly<Record<string, string>> {
  if (secretArn === '') return {};
  return { AMQP_URL: SecretValue.secretsManager(secretArn).unsafeUnwrap() };
}

/** Two zones; the database has no way out, tasks reach S3 without leaving the network. */
function createNetwork(scope: Construct): Vpc {
  return new Vpc(scope, 'Network', {
    maxAzs: 2,
    natGateways: 1,
    subnetConfiguration: [
      { name: 'public', subnetType: SubnetType.PUBLIC, cidrMask: 24 },
      { name: 'tasks', subnetType: SubnetType.PRIVATE_WITH_EGRESS, cidrMask: 22 },
      { name: 'data', subnetType: SubnetType.PRIVATE_ISOLATED, cidrMask: 24 },
    ],
    gatewayEndpoints: { S3: { service: GatewayVpcEndpointAwsService.S3 } },
    restrictDefaultSecurityGroup: false,
  });
}
