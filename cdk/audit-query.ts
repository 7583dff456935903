import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';

const MOST_ROWS = 1_000;
/** Logs that Logs Insights queries at once. */
const MOST_LOGS = 50;

/**
 * Creates the saved query of hand-outs over the logs of the functions that hand out, and `NAME/2`, `NAME/3`, … over those
 * that do not fit into one. `token-broker audit` finds the logs by these names.
 */
export function createAuditQuery(
  scope: Construct,
  { broker, handingOut }: { readonly broker: string; readonly handingOut: readonly LambdaFunction[] },
): void {
  const logGroups = handingOut.map(({ logGroup }) => logGroup);
  for (let begin = 0; begin < logGroups.length; begin += MOST_LOGS) {
    const number = begin / MOST_LOGS + 1;
    new logs.QueryDefinition(scope, number === 1 ? 'AuditQuery' : `AuditQuery-${number}`, {
      queryDefinitionName: number === 1 ? `${broker}/hand-outs` : `${broker}/hand-outs/${number}`,
      logGroups: logGroups.slice(begin, begin + MOST_LOGS),
      queryString: new logs.QueryString({
        fields: ['at', 'caller', 'connection', 'subject', 'token', 'generation', 'source', 'via', 'requestId'].map(
          (name) => `audit.${name}`,
        ),
        filterStatements: ['ispresent(audit.token)'],
        sort: '@timestamp desc',
        limit: MOST_ROWS,
      }),
    });
  }
}
