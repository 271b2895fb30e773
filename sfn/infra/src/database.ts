import { Duration, RemovalPolicy, type SecretValue } from 'aws-cdk-lib';
import {
  InstanceClass,
  InstanceSize,
  InstanceType,
  type SecurityGroup,
  SubnetType,
  type Vpc,
} from 'aws-cdk-lib/aws-ec2';
import {
  Credentials,
  DatabaseInstance,
  DatabaseInstanceEngine,
  type IInstanceEngine,
  MysqlEngineVersion,
  PostgresEngineVersion,
  StorageType,
} from 'aws-cdk-lib/aws-rds';
import type { Construct } from 'constructs';
import type { DatabaseKind } from './stack-options.ts';

const databaseName = 'factorial';
const userName = 'factorial';

const engines: Readonly<Record<DatabaseKind, () => IInstanceEngine>> = {
  postgres: () => DatabaseInstanceEngine.postgres({ version: PostgresEngineVersion.VER_17 }),
  mysql: () => DatabaseInstanceEngine.mysql({ version: MysqlEngineVersion.VER_8_4_9 }),
};

export interface Database {
  readonly instance: DatabaseInstance;
  /** `DATABASE_URL` of the service; the password is resolved at deployment and never in the template. */
  readonly url: string;
}

/** The metadata database: encrypted, in subnets without a way out, backed up, kept as a snapshot when the stack goes. */
export function createDatabase(
  scope: Construct,
  vpc: Vpc,
  options: { readonly kind: DatabaseKind; readonly securityGroup: SecurityGroup },
): Database {
  const instance = new DatabaseInstance(scope, 'Metadata', {
    engine: engines[options.kind](),
    instanceType: InstanceType.of(InstanceClass.T4G, InstanceSize.SMALL),
    vpc,
    vpcSubnets: { subnetType: SubnetType.PRIVATE_ISOLATED },
    securityGroups: [options.securityGroup],
    databaseName,
    // In a URL: letters and digits only.
    credentials: Credentials.fromGeneratedSecret(userName, {
      excludeCharacters: ' %+~`#$&*()|[]{}:;<>?!\'/@"\\^=,.-_',
    }),
    storageEncrypted: true,
    storageType: StorageType.GP3,
    allocatedStorage: 20,
    maxAllocatedStorage: 200,
    multiAz: true,
    backupRetention: Duration.days(7),
    deletionProtection: true,
    removalPolicy: RemovalPolicy.SNAPSHOT,
    publiclyAccessible: false,
  });
  const password: SecretValue = instance.secret!.secretValueFromJson('password');
  const scheme = options.kind === 'postgres' ? 'postgres' : 'mysql';
  const address = `${instance.dbInstanceEndpointAddress}:${instance.dbInstanceEndpointPort}`;
  // Encrypted, certificate and host name checked: the authorities come with the service (DATABASE_CA_FILE=rds).
  return {
    instance,
    url: `${scheme}://${userName}:${password.unsafeUnwrap()}@${address}/${databaseName}?sslmode=verify-full`,
  };
}
