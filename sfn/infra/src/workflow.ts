import { Aws, RemovalPolicy } from 'aws-cdk-lib';
import { type SecurityGroup, SubnetType, type Vpc } from 'aws-cdk-lib/aws-ec2';
import type { Cluster, FargateTaskDefinition } from 'aws-cdk-lib/aws-ecs';
import { ManagedPolicy, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { DefinitionBody, LogLevel, StateMachine, StateMachineType } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import type { FunctionName } from './bundle-functions.ts';
import { containerName } from './container.ts';
import { pascalCase } from './functions.ts';
import { definitionPath } from './paths.ts';

export interface WorkflowOptions {
  readonly vpc: Vpc;
  readonly functions: Readonly<Record<FunctionName, LambdaFunction>>;
  readonly cluster: Cluster;
  readonly task: FargateTaskDefinition;
  readonly taskSecurityGroup: SecurityGroup;
  readonly logRetention: RetentionDays;
}

/** The state machine, from the definition file as it is, and a role that may do what the definition does. */
export function createStateMachine(scope: Construct, options: WorkflowOptions): StateMachine {
  const { functions, cluster, task, taskSecurityGroup, vpc } = options;
  const [first, second] = vpc.selectSubnets({ subnetType: SubnetType.PRIVATE_WITH_EGRESS }).subnetIds;
  if (first === undefined || second === undefined) throw new Error('expected two private subnets');
  const functionArns = Object.entries(functions).map(([name, { functionArn }]) => [
    `${pascalCase(name)}FunctionArn`,
    functionArn,
  ]);
  const stateMachine = new StateMachine(scope, 'StateMachine', {
    stateMachineType: StateMachineType.STANDARD,
    definitionBody: DefinitionBody.fromFile(definitionPath),
    definitionSubstitutions: {
      ...(Object.fromEntries(functionArns) as Record<string, string>),
      ClusterArn: cluster.clusterArn,
      TaskDefinitionArn: task.taskDefinitionArn,
      ContainerName: containerName,
      SubnetId1: first,
      SubnetId2: second,
      SecurityGroupId: taskSecurityGroup.securityGroupId,
    },
    role: new Role(scope, 'StateMachineRole', { assumedBy: new ServicePrincipal('states.amazonaws.com') }),
    tracingEnabled: true,
    logs: {
      destination: new LogGroup(scope, 'StateMachineLogs', {
        logGroupName: `/aws/vendedlogs/states/${Aws.STACK_NAME}`,
        retention: options.logRetention,
        removalPolicy: RemovalPolicy.DESTROY,
      }),
      level: LogLevel.ERROR,
      includeExecutionData: false,
    },
  });
  for (const statement of statements(options)) stateMachine.addToRolePolicy(statement);
  return stateMachine;
}

function statements({ functions, cluster, task }: WorkflowOptions): PolicyStatement[] {
  const invoked = Object.values(functions).map(({ functionArn }) => functionArn);
  const rule = `arn:${Aws.PARTITION}:events:${Aws.REGION}:${Aws.ACCOUNT_ID}:rule/StepFunctionsGetEventsForECSTaskRule`;
  return [
    new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: invoked }),
    new PolicyStatement({
      actions: ['ecs:RunTask'],
      resources: [task.taskDefinitionArn],
      conditions: { ArnEquals: { 'ecs:cluster': cluster.clusterArn } },
    }),
    new PolicyStatement({
      actions: ['ecs:StopTask', 'ecs:DescribeTasks'],
      resources: [`arn:${Aws.PARTITION}:ecs:${Aws.REGION}:${Aws.ACCOUNT_ID}:task/${cluster.clusterName}/*`],
    }),
    new PolicyStatement({
      actions: ['iam:PassRole'],
      resources: [task.taskRole.roleArn, task.obtainExecutionRole().roleArn],
      conditions: { StringEquals: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' } },
    }),
    // How Step Functions learns that a container ended.
    new PolicyStatement({ actions: ['events:PutTargets', 'events:PutRule', 'events:DescribeRule'], resources: [rule] }),
  ];
}

/** What a worker's role needs to start, look up and stop executions. */
export function createWorkerPolicy(scope: Construct, stateMachine: StateMachine): ManagedPolicy {
  const executions = `arn:${Aws.PARTITION}:states:${Aws.REGION}:${Aws.ACCOUNT_ID}:execution:${stateMachine.stateMachineName}:*`;
  return new ManagedPolicy(scope, 'WorkerPolicy', {
    description: 'Start, look up and stop executions of the factorial state machine',
    statements: [
      new PolicyStatement({
        actions: ['states:StartExecution', 'states:ListExecutions'],
        resources: [stateMachine.stateMachineArn],
      }),
      new PolicyStatement({ actions: ['states:DescribeExecution', 'states:StopExecution'], resources: [executions] }),
    ],
  });
}
