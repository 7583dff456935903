import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';

const MOST_ROWS = 1_000;

/**
 * Creates the saved query of hand-outs over the logs of the functions that hand out. `token-broker audit` finds the logs
 * by its name.
 */
export function createAuditQuery(
  scope: Construct,
  { broker, handingOut }: { readonly broker: string; readonly handingOut: readonly LambdaFunction[] },
): void {
  new logs.QueryDefinition(scope, 'AuditQuery', {
    queryDefinitionName: `${broker}/hand-outs`,
    logGroups: handingOut.map(({ logGroup }) => logGroup),
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
