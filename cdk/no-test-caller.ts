import { CfnResource, Stack } from 'aws-cdk-lib';
import { CfnFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { TEST_CALLER } from '../functions/api/test-caller.ts';

const FORBIDDEN = new RegExp(`\\b(${TEST_CALLER}|AWS_ENDPOINT_URL(?:_[A-Z_]+)?)\\b`);

/**
 * Fails the synth of an app that gives a function of the broker a test caller, or an endpoint to take for AWS's: the two
 * settings that a named caller without a signature would need.
 */
export function refuseTestCaller(broker: Construct): void {
  broker.node.addValidation({
    validate: () =>
      broker.node
        .findAll()
        .filter((each) => CfnResource.isCfnResource(each) && each instanceof CfnFunction)
        .flatMap((each) => {
          const variables = JSON.stringify(Stack.of(broker).resolve(each.environment) ?? {});
          const [, found] = FORBIDDEN.exec(variables) ?? [];
          return found === undefined
            ? []
            : [`${each.node.path} has the environment variable ${found}, which is for tests on loopback: take it out.`];
        }),
  });
}
