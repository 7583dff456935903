import { Duration, Validations } from 'aws-cdk-lib';
import { ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { VARIABLES } from '../functions/composition/environment.ts';
import { SYSTEM } from '../functions/core/slot/slot.ts';
import { createAlarm } from './alarms.ts';
import { API_TIMEOUT_SECONDS, NEVER_AGAIN } from './broker-function.ts';
import { closeFunction } from './function-policy.ts';
import type { ITokenBroker } from './grants.ts';
import type { MakeFunction } from './isolation-groups.ts';
import type { BrokerEndpoint } from './rest-api.ts';
import { createSchedule } from './schedule.ts';

/** A slot whose token is asked for, to see that tokens are handed out. */
export interface BrokerCanary {
  readonly connection: string;
  /** Default `system`. */
  readonly subject?: string;
}

const MINUTES = 5;
const period = Duration.minutes(MINUTES);
/** Runs in a row that fail, or are missing, before it rings. */
const IN_A_ROW = 3;

/**
 * Creates the function that asks for a token through the API, as a caller does, each five minutes, with the grant for this
 * one slot and no other right; and the alarms for runs that fail and for runs that are missing. Throws where the function
 * could not reach the API, and where the slot could not be granted.
 */
export function createCanary(
  broker: Construct & ITokenBroker & { readonly name: string },
  props: BrokerCanary & {
    readonly make: MakeFunction;
    readonly endpoint: BrokerEndpoint | undefined;
    readonly topic: ITopic | undefined;
  },
): void {
  const { connection, subject = SYSTEM, endpoint = 'regional' } = props;
  if (endpoint !== 'regional') throw new Error('A canary is outside every VPC, and cannot reach a private API.');
  const canary = props.make(broker, 'Canary', {
    folder: 'canary',
    description: `Asks for a token of ${connection}, as a caller does`,
    timeoutSeconds: API_TIMEOUT_SECONDS,
    environment: {
      [VARIABLES.url]: broker.url,
      [VARIABLES.canaryConnection]: connection,
      [VARIABLES.canarySubject]: subject,
    },
  });
  broker.grantToken(canary, connection, { subjects: [subject], reports: false });
  // Its failures are counted, and the next run comes soon.
  canary.configureAsyncInvoke(NEVER_AGAIN);
  Validations.of(canary).acknowledge({
    id: 'Serverless-LambdaAsyncFailureDestination',
    reason: 'A run that fails is told by an alarm, and nothing of it is left to do.',
  });
  const description = 'Asks for a token, to see that tokens are handed out';
  const roleArn = createSchedule(broker, { id: 'CanarySchedule', target: canary, description, minutes: MINUTES });
  closeFunction(canary, { roleArns: [roleArn] });

  const alarm = { runbook: 'find-what-stops-the-canary', evaluationPeriods: IN_A_ROW } as const;
  const owner = { broker: broker.name, topic: props.topic };
  createAlarm(broker, owner, {
    ...alarm,
    why: `The canary, which asks for a token of ${connection}, gets none.`,
    metric: canary.metricErrors({ period, statistic: 'Sum' }),
  });
  createAlarm(broker, owner, {
    ...alarm,
    of: 'absent',
    why: 'The canary, which asks for tokens, does not run.',
    metric: canary.metricInvocations({ period, statistic: 'Sum' }),
    comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
    treatMissingData: TreatMissingData.BREACHING,
  });
}
