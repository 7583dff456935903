import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** An error of a deployment, by its words, and the command that mends it. NAME in the command is the `name` in the words. */
interface Advice {
  readonly sign: RegExp;
  readonly advice: string;
}

const known: readonly Advice[] = [
  {
    sign: /(?:not|been) bootstrapped|\/cdk-bootstrap\/|cdk bootstrap/i,
    advice: 'This account and region are not prepared for CDK yet. Once for each, run:\n  npx cdk bootstrap',
  },
  {
    sign: /unable to resolve aws account|could not load credentials|CredentialsProviderError|no credentials (?:have been )?configured|security token included in the request is (?:invalid|expired)|ExpiredToken/i,
    advice:
      'There are no AWS credentials, or they have expired. Sign in (`aws sso login`, or `aws configure`), and see who you are:\n  aws sts get-caller-identity',
  },
  {
    sign: /UnreservedConcurrentExecution/,
    advice:
      'This account has too few Lambda executions to keep so many for one function. Keep fewer, or none by leaving tokenConcurrency out, or ask for a higher quota:\n  https://console.aws.amazon.com/servicequotas/home/services/lambda/quotas/L-B99A9384',
  },
  {
    sign: /(?:Stack \[(?<name>[^\]\s]+)\][^\n]*)?TerminationProtection is enabled/i,
    advice:
      'The stack is protected, a first deployment that failed too. Take the protection off, and run this again:\n  aws cloudformation update-termination-protection --no-enable-termination-protection --stack-name NAME',
  },
  {
    sign: /secret[^\n]*scheduled for deletion/i,
    advice:
      'A secret of this name was deleted, and Secrets Manager keeps the name for as long as it can be restored. Restore it, and name it under `secret` of its connection to use it as it is:\n  aws secretsmanager restore-secret --secret-id NAME',
  },
  {
    sign: /secret (?<name>[^\s:]+) already exists|secret[^\n]*already exists|already exists[^\n]*secret|ResourceExistsException/i,
    advice:
      'A secret is there from an earlier deployment: secrets stay when the stack goes. Name it under `secret` of its connection to use it as it is, or delete it for good:\n  aws secretsmanager delete-secret --force-delete-without-recovery --secret-id NAME',
  },
];

/** Says what to do about a failed deployment, by what it printed; nothing where that is not known. */
export function findAdvice(output: string): string | undefined {
  for (const { sign, advice } of known) {
    const found = sign.exec(output);
    if (found !== null) return advice.replace('NAME', () => found.groups?.['name'] ?? 'NAME');
  }
  return undefined;
}

/** Gives the text of AWS's configuration file; empty where there is none. */
export function readAwsConfiguration(): string {
  try {
    return readFileSync(process.env['AWS_CONFIG_FILE'] ?? join(homedir(), '.aws/config'), 'utf8');
  } catch {
    return '';
  }
}

/** The advice where nothing says in which region to deploy. */
export const NO_REGION =
  'No region is set, and a broker is deployed into one. Say which, for example:\n  export AWS_REGION=eu-west-1 AWS_DEFAULT_REGION=eu-west-1';

/**
 * The region that the environment names, or else the profile in the text of AWS's configuration file; undefined where
 * neither does. Without this look CDK would deploy to us-east-1 and say nothing.
 */
export function findRegion(
  environment: Readonly<Record<string, string | undefined>>,
  configurationText: string,
): string | undefined {
  const named = environment['AWS_REGION'] || environment['AWS_DEFAULT_REGION'];
  if (named) return named;
  const profile = environment['AWS_PROFILE'] || environment['AWS_DEFAULT_PROFILE'] || 'default';
  let isWanted = false;
  for (const line of configurationText.split('\n')) {
    const [, section] = /^\s*\[\s*(?:profile\s+)?([^\]]*?)\s*\]/.exec(line) ?? [];
    if (section !== undefined) isWanted = section === profile;
    const [, region] = /^\s*region\s*=\s*(\S+)/.exec(line) ?? [];
    if (isWanted && region !== undefined) return region;
  }
  return undefined;
}
