import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import type { DemoUpstreams } from '../../local/demo-upstreams.ts';
import { ROOT } from './deployment.ts';
import { execute } from './execute.ts';
import type { Ministack } from './ministack.ts';

/** The region that the document names. */
export const REGION = 'eu-west-1';

/** Leads the commands in Node to the emulator, whatever host of AWS they name. */
const LEAD_TO_EMULATOR = join(ROOT, 'test/deploy/lead-to-emulator.mjs');

/** Environment of a command. */
export type Environment = Readonly<Record<string, string>>;

/** The target of the deployment: an account of the emulator, and the upstreams that it reaches. */
export interface Place {
  /** The home folder of all commands. */
  readonly scratch: string;
  readonly demo: DemoUpstreams;
  /** The same for another broker, whose logins must not be taken for the first one's. */
  readonly otherDemo: DemoUpstreams;
  /** The emulator's log, with that of the functions. */
  readonly logFile: string;
  /** What a command has that knows no account. */
  readonly home: Environment;
  /** The same with the account's owner, whom nothing is refused: it makes the identities that the test acts as. */
  readonly owner: Environment;
}

/**
 * Creates the place. Its home folder has curl lead every call to the emulator, whatever host it names, as the names of AWS
 * lead to AWS: so the documented commands run as they stand.
 */
export function createPlace(options: {
  readonly scratch: string;
  readonly logFile: string;
  readonly path: string;
  readonly emulator: Pick<Ministack, 'endpoint' | 'certificate'>;
  readonly demo: DemoUpstreams;
  readonly otherDemo: DemoUpstreams;
}): Place {
  const { scratch, logFile, demo, otherDemo } = options;
  const { endpoint, certificate } = options.emulator;
  const { host } = new URL(endpoint);
  writeFileSync(join(scratch, '.curlrc'), `connect-to = "::${host}"\ncacert = "${certificate}"\n`);
  const home = { PATH: options.path, HOME: scratch, CI: '1', NO_COLOR: '1', NPM_CONFIG_UPDATE_NOTIFIER: 'false' };
  const owner = {
    ...home,
    AWS_ENDPOINT_URL: endpoint,
    AWS_CA_BUNDLE: certificate,
    NODE_EXTRA_CA_CERTS: certificate,
    AWS_EC2_METADATA_DISABLED: 'true',
    NODE_OPTIONS: `--import=${LEAD_TO_EMULATOR}`,
    // To the emulator this key is the root user.
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
  };
  return { scratch, logFile, demo, otherDemo, home, owner };
}

/** Runs a command of the AWS CLI and gives what it printed. Throws with its output where it fails. */
export async function aws(environment: Environment, ...words: readonly string[]): Promise<string> {
  const env = { AWS_REGION: REGION, AWS_DEFAULT_REGION: REGION, ...environment };
  const { code, output } = await execute('aws', [...words, '--output', 'json'], { cwd: ROOT, env });
  if (code !== 0) throw new Error(`aws ${words.slice(0, 2).join(' ')} ended with code ${code}:\n${output}`);
  return output;
}

/** Gives the address of the API of a stack, without a slash at the end. */
export async function urlOf(environment: Environment, stack: string): Promise<string> {
  const query = "Stacks[0].Outputs[?OutputKey=='ApiUrl'].OutputValue | [0]";
  const words = ['cloudformation', 'describe-stacks', '--stack-name', stack, '--query', query];
  return z.string().parse(JSON.parse(await aws(environment, ...words)));
}

const stackResources = z.object({
  StackResources: z.array(
    z.object({ LogicalResourceId: z.string(), PhysicalResourceId: z.string(), ResourceType: z.string() }),
  ),
});

/** A resource of a stack. */
export type StackResource = z.infer<typeof stackResources>['StackResources'][number];

/** Reads the resources of a stack, and of the stacks within it. */
export async function readResources(environment: Environment, stack: string): Promise<readonly StackResource[]> {
  const words = ['cloudformation', 'describe-stack-resources', '--stack-name', stack];
  const { StackResources: found } = stackResources.parse(JSON.parse(await aws(environment, ...words)));
  const nested = found.filter(({ ResourceType }) => ResourceType === 'AWS::CloudFormation::Stack');
  const within = await Promise.all(nested.map((each) => readResources(environment, each.PhysicalResourceId)));
  return [...found, ...within.flat()];
}

/** Gives the physical name of a resource, by its type and the beginning of its logical id. */
export function requireName(resources: readonly StackResource[], type: string, logicalId: string): string {
  const isIt = ({ ResourceType, LogicalResourceId }: StackResource) =>
    ResourceType === type && LogicalResourceId.replace(/[0-9A-F]{8}$/, '') === logicalId;
  const found = resources.find(isIt);
  if (found === undefined) throw new Error(`The stack has no ${type} ${logicalId}.`);
  return found.PhysicalResourceId;
}
