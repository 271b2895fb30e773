import { Duration } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, type IMetric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { DatabaseInstance } from 'aws-cdk-lib/aws-rds';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';

export interface AlarmsOptions {
  readonly stateMachine: StateMachine;
  readonly cleanUp: LambdaFunction;
  readonly database: DatabaseInstance;
  readonly email: string;
}

const gibibyte = 2 ** 30;

/** Alarms for what an operator should look at, sent to one topic. */
export function createAlarms(scope: Construct, { stateMachine, cleanUp, database, email }: AlarmsOptions): Topic {
  const topic = new Topic(scope, 'Alarms', { enforceSSL: true });
  if (email !== '') topic.addSubscription(new EmailSubscription(email));
  const period = Duration.minutes(5);
  const alarm = (id: string, alarmDescription: string, metric: IMetric, threshold: number, below = false): void => {
    const { LESS_THAN_THRESHOLD, GREATER_THAN_OR_EQUAL_TO_THRESHOLD } = ComparisonOperator;
    new Alarm(scope, id, {
      alarmDescription,
      metric,
      threshold,
      evaluationPeriods: 1,
      comparisonOperator: below ? LESS_THAN_THRESHOLD : GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    }).addAlarmAction(new SnsAction(topic));
  };
  alarm(
    'ExecutionsFailed',
    'Executions fail: see their rows for the reasons',
    stateMachine.metricFailed({ period }),
    3,
  );
  alarm('ExecutionsTimedOut', 'An execution ran out of time', stateMachine.metricTimedOut({ period }), 1);
  alarm(
    'CleanUpErrors',
    'A clean-up failed: a row may wait for its lease to run out',
    cleanUp.metricErrors({ period }),
    1,
  );
  alarm(
    'DatabaseStorage',
    'The database has less than 2 GiB left',
    database.metricFreeStorageSpace({ period }),
    2 * gibibyte,
    true,
  );
  return topic;
}
