import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import {
  fargateStorageMinGiB,
  lambdaMemoryMiB,
  lambdaStorageMiB,
  lambdaTimeoutSeconds,
} from '../../src/plan/aws-task-sizes.ts';
import { createApp, stackName } from '../src/app.ts';
import { bundleFunctions } from '../src/bundle-functions.ts';
import { definitionPath, functionsFolder } from '../src/paths.ts';

interface Statement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
}
interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
}

let folder: string;
let template: Template;

function templateWith(context: Readonly<Record<string, unknown>>, name: string): Template {
  const app = createApp(join(folder, name), context);
  return Template.fromStack(app.node.findChild(stackName) as Stack);
}

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'factorial-infra-'));
  if (!existsSync(join(functionsFolder, 'plan.mjs'))) await bundleFunctions(functionsFolder);
  template = templateWith({}, 'default');
});
after(() => rmSync(folder, { recursive: true, force: true }));

const resources = (): [string, Resource][] => Object.entries(template.toJSON().Resources as Record<string, Resource>);
const ofType = (type: string): Resource[] => resources().flatMap(([, found]) => (found.Type === type ? [found] : []));

function statements(): Statement[] {
  return ['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy']
    .flatMap(ofType)
    .flatMap(({ Properties }) => (Properties.PolicyDocument as { Statement: Statement[] }).Statement);
}

const actionsOf = ({ Action }: Statement): readonly string[] => (typeof Action === 'string' ? [Action] : Action);

describe('the bucket', () => {
  it('is private, encrypted, reached over TLS only, and kept', () => {
    template.hasResource('AWS::S3::Bucket', {
      DeletionPolicy: 'Retain',
      Properties: {
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        },
        BucketEncryption: {
          ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
        },
      },
    });
    template.hasResourceProperties('AWS::S3::BucketPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
        ]),
      },
    });
  });

  it('does not keep the parts of uploads that nobody completed', () => {
    template.hasResourceProperties('AWS::S3::Bucket', {
      LifecycleConfiguration: {
        Rules: [Match.objectLike({ Status: 'Enabled', AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 } })],
      },
    });
  });
});

describe('the state machine', () => {
  it('is deployed from the very file that runs everywhere else, byte for byte', () => {
    const definition = readFileSync(definitionPath);
    const assets = readdirSync(join(folder, 'default')).filter(
      (name) => name.startsWith('asset.') && name.endsWith('.json'),
    );
    const equal = assets.filter((name) => readFileSync(join(folder, 'default', name)).equals(definition));
    assert.equal(equal.length, 1);
    const hash = equal[0]!.split('.')[1];
    template.hasResourceProperties('AWS::StepFunctions::StateMachine', {
      DefinitionS3Location: { Key: Match.stringLikeRegexp(String(hash)) },
      StateMachineType: 'STANDARD',
      TracingConfiguration: { Enabled: true },
      LoggingConfiguration: { Level: 'ERROR', IncludeExecutionData: false },
    });
  });

  it('has a value for every substitution of the definition, and for nothing else', () => {
    const named = new Set([...readFileSync(definitionPath, 'utf8').matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name));
    const [machine] = ofType('AWS::StepFunctions::StateMachine');
    assert.deepEqual(Object.keys(machine!.Properties.DefinitionSubstitutions as object).sort(), [...named].sort());
  });
});

describe('the functions', () => {
  it('are as large as the plan counts on, and end before their state does', () => {
    template.hasResourceProperties('AWS::Lambda::Function', {
      Handler: 'calculate.handler',
      Runtime: 'nodejs24.x',
      MemorySize: lambdaMemoryMiB,
      EphemeralStorage: { Size: lambdaStorageMiB },
      Timeout: lambdaTimeoutSeconds,
    });
    const states = (
      JSON.parse(readFileSync(definitionPath, 'utf8')) as {
        States: Record<string, { Resource?: string; TimeoutSeconds?: number }>;
      }
    ).States;
    for (const name of ['plan', 'calculate', 'verify', 'publish', 'clean-up']) {
      const found = ofType('AWS::Lambda::Function').find(({ Properties }) => Properties.Handler === `${name}.handler`);
      const arn = name.replace(/(^|-)([a-z])/g, (_all, _dash, letter: string) => letter.toUpperCase());
      const state = Object.values(states).find(({ Resource }) => Resource === `\${${arn}FunctionArn}`);
      assert.ok(Number(found?.Properties.Timeout) < Number(state?.TimeoutSeconds), name);
    }
  });

  it('run in the network, with an encrypted environment', () => {
    for (const { Properties } of ofType('AWS::Lambda::Function')) {
      if (
        !String(Properties.Runtime).startsWith('nodejs24') ||
        !/^(plan|calculate|verify|publish|clean-up)\./.test(String(Properties.Handler))
      )
        continue;
      assert.ok(Properties.VpcConfig);
      assert.ok(Properties.KmsKeyArn);
    }
  });
});

describe('the container', () => {
  it('is given by the definition what it is named here', () => {
    template.hasResourceProperties('AWS::ECS::TaskDefinition', {
      RequiresCompatibilities: ['FARGATE'],
      EphemeralStorage: { SizeInGiB: fargateStorageMinGiB },
      ContainerDefinitions: [
        Match.objectLike({
          Name: 'factorial',
          Image: 'factorial:latest',
          Secrets: [Match.objectLike({ Name: 'DATABASE_URL' })],
        }),
      ],
    });
    template.hasResourceProperties('AWS::StepFunctions::StateMachine', {
      DefinitionSubstitutions: { ContainerName: 'factorial' },
    });
  });
});

describe('the database', () => {
  it('is PostgreSQL: encrypted, private, backed up, protected', () => {
    template.hasResource('AWS::RDS::DBInstance', {
      DeletionPolicy: 'Snapshot',
      Properties: {
        Engine: 'postgres',
        StorageEncrypted: true,
        PubliclyAccessible: false,
        DeletionProtection: true,
        BackupRetentionPeriod: 7,
        MultiAZ: true,
      },
    });
  });

  it('is MySQL by choice, on its own port', () => {
    const mysql = templateWith({ database: 'mysql' }, 'mysql');
    mysql.hasResourceProperties('AWS::RDS::DBInstance', { Engine: 'mysql' });
    mysql.hasResourceProperties('AWS::EC2::SecurityGroupIngress', { FromPort: 3306, ToPort: 3306 });
    assert.match(JSON.stringify(mysql.toJSON()), /mysql:\/\/factorial:/);
  });

  it('is reached over TLS only, its certificate and host name checked', () => {
    for (const [found, scheme] of [
      [template, 'postgres'],
      [templateWith({ database: 'mysql' }, 'mysql-tls'), 'mysql'],
    ] as const) {
      const text = JSON.stringify(found.toJSON());
      assert.match(text, new RegExp(`${scheme}://factorial:`));
      assert.match(text, /\/factorial\?sslmode=verify-full/);
      assert.doesNotMatch(text, /no-verify/);
    }
    for (const { Properties } of ofType('AWS::Lambda::Function')) {
      if (!/^(plan|calculate|verify|publish|clean-up)\./.test(String(Properties.Handler))) continue;
      const { Variables } = Properties.Environment as { Variables: Record<string, unknown> };
      assert.equal(Variables.DATABASE_CA_FILE, 'rds');
    }
  });

  it('keeps its password out of the template', () => {
    const text = JSON.stringify(template.toJSON());
    assert.match(text, /postgres:\/\/factorial:\{\{resolve:secretsmanager:/);
    assert.doesNotMatch(text, /"MasterUserPassword":"(?!\{\{)/);
  });
});

describe('permissions', () => {
  it('name no action by a bare wildcard', () => {
    const wide = statements().filter(
      ({ Effect, Action }) =>
        Effect === 'Allow' &&
        actionsOf({ Effect, Action, Resource: '' }).some((action) => action === '*' || /^[a-z0-9]+:\*$/.test(action)),
    );
    assert.deepEqual(wide, []);
  });

  it('name no resource by a bare wildcard, but for what AWS offers no other way', () => {
    // Tracing, log delivery and network interfaces have no resources to name.
    const unavoidable =
      /^(xray:|logs:(Create|Get|Update|Delete|List)LogDelivery|logs:ListLogDeliveries|logs:(Put|Describe)ResourcePolic|logs:DescribeLogGroups|ec2:)/;
    for (const statement of statements()) {
      if (statement.Effect !== 'Allow' || statement.Resource !== '*') continue;
      for (const action of actionsOf(statement)) assert.match(action, unavoidable);
    }
  });

  it('let tasks touch objects below the prefix only', () => {
    const touching = statements().filter((statement) =>
      actionsOf(statement).some((action) => /Object$|Upload/.test(action) && !action.includes('Bucket')),
    );
    assert.ok(touching.length >= 5);
    for (const { Resource } of touching) assert.match(JSON.stringify(Resource), /\/factorials\/\*/);
  });

  it('let the planning function touch no object', () => {
    const policies = resources().filter(
      ([id, { Type }]) => Type === 'AWS::IAM::Policy' && id.startsWith('PlanFunction'),
    );
    assert.doesNotMatch(JSON.stringify(policies), /s3:/);
  });

  it('let a worker start and stop executions of this state machine and no other', () => {
    template.hasResourceProperties('AWS::IAM::ManagedPolicy', {
      PolicyDocument: {
        Statement: [
          Match.objectLike({ Action: ['states:StartExecution', 'states:ListExecutions'] }),
          Match.objectLike({ Action: ['states:DescribeExecution', 'states:StopExecution'] }),
        ],
      },
    });
  });
});

describe('operations', () => {
  it('keep every log for a bounded time', () => {
    const groups = ofType('AWS::Logs::LogGroup');
    assert.ok(groups.length >= 7);
    for (const { Properties } of groups) assert.equal(Properties.RetentionInDays, 30);
  });

  it('raise an alarm for failed and overdue executions, failing clean-ups and a full database', () => {
    template.resourceCountIs('AWS::CloudWatch::Alarm', 4);
    for (const metric of ['ExecutionsFailed', 'ExecutionsTimedOut', 'Errors', 'FreeStorageSpace']) {
      template.hasResourceProperties('AWS::CloudWatch::Alarm', {
        MetricName: metric,
        AlarmActions: [Match.anyValue()],
      });
    }
  });
});

describe('the context', () => {
  for (const [name, value] of [
    ['database', 'oracle'],
    ['image', 'not an image'],
    ['logRetentionDays', '31'],
    ['alarmEmail', 'nobody'],
    ['verifyReadbackMaxBytes', 'much'],
    ['brokerUrlSecretArn', 'amqp://user:password@broker'],
  ] as const) {
    it(`is refused by name when ${name} is ${value}`, () => {
      assert.throws(
        () => createApp(join(folder, `refused-${name}`), { [name]: value }),
        new RegExp(`context ${name}: expected`),
      );
    });
  }

  it('gives the broker to those functions that announce, by reference, and to no other', () => {
    const brokerUrlSecretArn = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:broker-AbCdEf';
    const chosen = templateWith({ brokerUrlSecretArn }, 'broker');
    const found = Object.values(chosen.findResources('AWS::Lambda::Function')) as Resource[];
    for (const { Properties } of found) {
      const { Variables = {} } = (Properties.Environment ?? {}) as { Variables?: Record<string, unknown> };
      const announces = /^(publish|clean-up)\.handler$/.test(String(Properties.Handler));
      assert.equal(Variables.AMQP_URL !== undefined, announces, String(Properties.Handler));
      if (announces) assert.match(JSON.stringify(Variables.AMQP_URL), /\{\{resolve:secretsmanager:.*broker-AbCdEf/);
    }
  });

  it('sets image, retention and the address of alarms', () => {
    const chosen = templateWith(
      { image: 'registry.example/factorial:1.2', logRetentionDays: '90', alarmEmail: 'a@b.example' },
      'chosen',
    );
    assert.match(JSON.stringify(chosen.findResources('AWS::ECS::TaskDefinition')), /registry\.example\/factorial:1\.2/);
    chosen.hasResourceProperties('AWS::SNS::Subscription', { Endpoint: 'a@b.example', Protocol: 'email' });
    chosen.hasResourceProperties('AWS::Logs::LogGroup', { RetentionInDays: 90 });
  });
});
