import { describe, expect, it } from 'vitest';
import { findAdvice, findRegion } from '../../cdk/deploy-advice.ts';

describe('the advice on a failed deployment', () => {
  it.each([
    [
      'TokenBroker: SSM parameter /cdk-bootstrap/hnb659fds/version not found. Has the environment been bootstrapped?',
      'npx cdk bootstrap',
    ],
    [
      'Unable to resolve AWS account to use. It must be either configured when you define your CDK Stack',
      'get-caller-identity',
    ],
    [
      "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [10].",
      'leaving tokenConcurrency out',
    ],
    [
      'Stack [TokenBroker-staging] cannot be deleted while TerminationProtection is enabled',
      '--no-enable-termination-protection --stack-name TokenBroker-staging',
    ],
    ['TerminationProtection is enabled', '--stack-name NAME'],
    [
      'The operation failed because the secret token-broker-staging/wfm already exists.',
      'delete-secret --force-delete-without-recovery --secret-id token-broker-staging/wfm',
    ],
    ['ResourceExistsException', '--secret-id NAME'],
    [
      "You can't create this secret because a secret with this name is already scheduled for deletion.",
      'aws secretsmanager restore-secret',
    ],
  ])('for "%s" is the command that mends it', (output, command) => {
    expect(findAdvice(output)).toContain(command);
  });

  it('is absent for an unknown error', () => {
    expect(findAdvice('Resource handler returned message: "Rate exceeded"')).toBeUndefined();
  });
});

describe('the region', () => {
  const file = '[default]\nregion = eu-north-1\n\n[profile work]\noutput=json\nregion=eu-central-1\n';

  it('is the one of the environment, else of the profile', () => {
    expect(findRegion({ AWS_REGION: 'eu-west-1', AWS_DEFAULT_REGION: 'eu-west-2' }, file)).toBe('eu-west-1');
    expect(findRegion({ AWS_DEFAULT_REGION: 'eu-west-2' }, file)).toBe('eu-west-2');
    expect(findRegion({}, file)).toBe('eu-north-1');
    expect(findRegion({ AWS_PROFILE: 'work' }, file)).toBe('eu-central-1');
  });

  it('is absent if neither names one, so that nothing is deployed to a region by accident', () => {
    expect(findRegion({}, '')).toBeUndefined();
    expect(findRegion({ AWS_PROFILE: 'other' }, file)).toBeUndefined();
    expect(findRegion({ AWS_REGION: '' }, '[default]\noutput=json\n[profile work]\nregion=x')).toBeUndefined();
  });
});
