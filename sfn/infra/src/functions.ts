import { Duration, RemovalPolicy, Size } from 'aws-cdk-lib';
import { type SecurityGroup, SubnetType, type Vpc } from 'aws-cdk-lib/aws-ec2';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Key } from 'aws-cdk-lib/aws-kms';
import { Architecture, Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { lambdaMemoryMiB, lambdaStorageMiB, lambdaTimeoutSeconds } from '../../src/plan/aws-task-sizes.ts';
import type { FunctionName } from './bundle-functions.ts';
import { functionNames } from './bundle-functions.ts';
import { functionsFolder } from './paths.ts';
import { keyPrefix } from './storage.ts';

/** What one function may do with the objects below the prefix, and how large it is. */
interface FunctionShape {
  readonly memoryMiB: number;
  readonly storageMiB: number;
  readonly timeoutSeconds: number;
  readonly objectActions: readonly string[];
  /** Whether it tells other systems how a request ended. */
  readonly announces?: true;
}

const large = { memoryMiB: lambdaMemoryMiB, storageMiB: lambdaStorageMiB, timeoutSeconds: lambdaTimeoutSeconds };
const small = { memoryMiB: 512, storageMiB: 512, timeoutSeconds: 50 };
const write = ['s3:PutObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'];

const shapes: Readonly<Record<FunctionName, FunctionShape>> = {
  plan: { ...small, objectActions: [] },
  calculate: { ...large, objectActions: ['s3:GetObject', 's3:DeleteObject', ...write] },
  verify: { ...large, memoryMiB: 1_024, storageMiB: 512, objectActions: ['s3:GetObject', ...write] },
  publish: { ...small, objectActions: ['s3:GetObject', 's3:DeleteObject'], announces: true },
  'clean-up': {
    ...small,
    objectActions: ['s3:GetObject', 's3:DeleteObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'],
    announces: true,
  },
};

export interface FunctionsOptions {
  readonly vpc: Vpc;
  readonly securityGroup: SecurityGroup;
  readonly bucket: Bucket;
  /** Encrypts the environment, which holds the database's URL. */
  readonly key: Key;
  readonly environment: Readonly<Record<string, string>>;
  /** Beside it for those that announce how a request ended. */
  readonly announcingEnvironment: Readonly<Record<string, string>>;
  readonly logRetention: RetentionDays;
}

/** The functions of the state machine, each with what it needs and no more. */
export function createFunctions(
  scope: Construct,
  options: FunctionsOptions,
): Readonly<Record<FunctionName, LambdaFunction>> {
  const code = Code.fromAsset(functionsFolder);
  const made = functionNames.map((name) => [name, createFunction(scope, name, code, options)] as const);
  return Object.fromEntries(made) as Record<FunctionName, LambdaFunction>;
}

function createFunction(scope: Construct, name: FunctionName, code: Code, options: FunctionsOptions): LambdaFunction {
  const shape = shapes[name];
  const id = `${pascalCase(name)}Function`;
  const created = new LambdaFunction(scope, id, {
    description: `Task ${name} of the factorial state machine`,
    runtime: Runtime.NODEJS_24_X,
    architecture: Architecture.X86_64,
    code,
    handler: `${name}.handler`,
    memorySize: shape.memoryMiB,
    ephemeralStorageSize: Size.mebibytes(shape.storageMiB),
    timeout: Duration.seconds(shape.timeoutSeconds),
    environment: { ...options.environment, ...(shape.announces ? options.announcingEnvironment : {}) },
    environmentEncryption: options.key,
    vpc: options.vpc,
    vpcSubnets: { subnetType: SubnetType.PRIVATE_WITH_EGRESS },
    securityGroups: [options.securityGroup],
    logGroup: new LogGroup(scope, `${id}Logs`, {
      retention: options.logRetention,
      removalPolicy: RemovalPolicy.DESTROY,
    }),
  });
  if (shape.objectActions.length > 0) {
    const objects = options.bucket.arnForObjects(`${keyPrefix}*`);
    created.addToRolePolicy(new PolicyStatement({ actions: [...shape.objectActions], resources: [objects] }));
    created.addToRolePolicy(listObjects(options.bucket));
  }
  return created;
}

/** Without it S3 answers 403 instead of 404 for an object that is not there. */
export function listObjects(bucket: Bucket): PolicyStatement {
  return new PolicyStatement({
    actions: ['s3:ListBucket', 's3:ListBucketMultipartUploads'],
    resources: [bucket.bucketArn],
  });
}

export function pascalCase(name: string): string {
  return name.replace(/(^|-)([a-z])/g, (_all, _dash, letter: string) => letter.toUpperCase());
}
