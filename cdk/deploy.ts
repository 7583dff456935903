import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import {
  CloudFormationClient,
  DescribeStacksCommand,
  GetTemplateCommand,
  paginateListStackResources,
} from '@aws-sdk/client-cloudformation';
import { CloudAssembly } from 'aws-cdk-lib/cx-api';
import { callerIdentity } from '../client/cli/doctor/caller-identity.ts';
import { findExamples } from '../functions/configuration/example-hosts.ts';
import { ASSEMBLY, CDK, findNestedTemplates, prepareSynth } from './assembly.ts';
import { callerNamesOf } from './caller-names.ts';
import { findAdvice, findRegion, NO_REGION } from './deploy-advice.ts';
import { readDeployArguments } from './deploy-arguments.ts';
import { findRisks, joinTemplates, type Template } from './deploy-risks.ts';
import { loadDeclared } from './settings.ts';

/** Exit code for a fault that the operator can fix before anything is deployed. */
const USAGE = 2;
/** The end of the output that is searched for a known error. */
const KEPT_CHARACTERS = 50_000;
const IDENTITY_WITHIN_MS = 10_000;

/** A deployment that ends before anything is deployed. The message is for the operator. */
class NotDeployed extends Error {}

/** Deploys the broker, and asks before it does what cannot be undone. Gives the exit code. */
async function main(words: readonly string[]): Promise<number> {
  const { profile, allowsMe, isAgreed, context, passedOn } = readDeployArguments(words);
  // CDK and the SDK both read it: what is compared and what is deployed are of one account.
  if (profile !== undefined) process.env['AWS_PROFILE'] = profile;
  const region = findRegion(process.env, awsConfiguration());
  if (region === undefined) throw new NotDeployed(NO_REGION);

  const me = allowsMe ? [`allowMe=${(await findOwnNames(region)).join(',')}`] : [];
  const settings = [...context, ...me].flatMap((each) => ['--context', each]);
  const synthesized = await runCdk(prepareSynth(settings), region);
  if (synthesized !== 0) return synthesized;
  const examples = findExamples((await loadDeclared()).connections);
  if (examples.length > 0) {
    throw new NotDeployed(
      `${examples.join(', ')} is an example's address, and nobody can log in there. Put your own upstreams into cdk/connections.ts, or name your own file: TOKEN_BROKER_CONNECTIONS=FILE.`,
    );
  }
  const risks = await findRisksOf(new CloudAssembly(ASSEMBLY), region).catch((error: unknown) => {
    const said = describe(error);
    throw new NotDeployed(findAdvice(said) ?? `What is deployed now could not be read: ${said}`);
  });
  if (risks.length > 0 && !isAgreed) await ask(risks);
  return runCdk(['deploy', '--app', ASSEMBLY, '--require-approval', 'never', ...passedOn], region);
}

/** The ARNs by which IAM knows who deploys. */
async function findOwnNames(region: string): Promise<readonly string[]> {
  try {
    return callerNamesOf(await callerIdentity({ region, timeoutMs: IDENTITY_WITHIN_MS, environment: process.env }));
  } catch (error) {
    throw new NotDeployed(error instanceof Error ? error.message : String(error));
  }
}

/** The risks of deploying each stack of the assembly, with its nested ones, over what is deployed under its name. */
async function findRisksOf(assembly: CloudAssembly, region: string): Promise<string[]> {
  const client = new CloudFormationClient({ region });
  const nested = findNestedTemplates(assembly.directory).map(
    (file): Template => JSON.parse(readFileSync(file, 'utf8')),
  );
  const risks: string[] = [];
  for (const { stackName, template } of assembly.stacks) {
    const deployed = await readDeployed(client, stackName);
    if (deployed === undefined || (await hasNothing(client, stackName))) continue;
    const deployedNested: Template[] = [];
    for (const each of await listNested(client, stackName)) {
      deployedNested.push((await readDeployed(client, each)) ?? {});
    }
    risks.push(...findRisks(joinTemplates(deployed, deployedNested), joinTemplates(template, nested)));
  }
  return risks;
}

/** Reports whether a stack's first deployment failed: nothing of it is there, and CDK makes it from the beginning. */
async function hasNothing(client: CloudFormationClient, stackName: string): Promise<boolean> {
  const { Stacks: [stack] = [] } = await client.send(new DescribeStacksCommand({ StackName: stackName }));
  return stack?.StackStatus === 'ROLLBACK_COMPLETE';
}

/** Lists the nested stacks of a deployed stack, by ARN. */
async function listNested(client: CloudFormationClient, stackName: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { StackResourceSummaries: resources = [] } of paginateListStackResources(
    { client },
    { StackName: stackName },
  )) {
    for (const { ResourceType: type, PhysicalResourceId: arn } of resources) {
      if (type === 'AWS::CloudFormation::Stack' && arn !== undefined) found.push(arn);
    }
  }
  return found;
}

/** The deployed template of a stack; undefined where there is no such stack. */
async function readDeployed(client: CloudFormationClient, stackName: string): Promise<Template | undefined> {
  try {
    const { TemplateBody } = await client.send(new GetTemplateCommand({ StackName: stackName }));
    return JSON.parse(TemplateBody ?? '{}');
  } catch (error) {
    if (describe(error).includes('does not exist')) return undefined;
    throw error;
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

/** Asks whether to go on. Throws `NotDeployed` where the answer is no, or nobody can be asked. */
async function ask(risks: readonly string[]): Promise<void> {
  process.stderr.write(`This deployment does what cannot be undone, or lets somebody do more:\n`);
  for (const risk of risks) process.stderr.write(`  ${risk}\n`);
  if (!process.stdin.isTTY) throw new NotDeployed('Nobody can be asked here: add --yes if it is meant.');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question('Deploy? (yes/no) ');
  terminal.close();
  if (answer.trim().toLowerCase() !== 'yes') throw new NotDeployed('Nothing was deployed.');
}

/** The text of AWS's configuration file; empty where there is none. */
function awsConfiguration(): string {
  try {
    return readFileSync(process.env['AWS_CONFIG_FILE'] ?? join(homedir(), '.aws/config'), 'utf8');
  } catch {
    return '';
  }
}

/** Runs CDK, shows what it says and what to do about a known error, and gives its exit code. */
async function runCdk(words: readonly string[], region: string): Promise<number> {
  const child = spawn(process.execPath, [CDK, ...words], {
    env: { ...process.env, AWS_REGION: region },
    stdio: ['inherit', 'pipe', 'pipe'],
  });
  let output = '';
  const keep = (to: NodeJS.WriteStream) => (chunk: Buffer) => {
    to.write(chunk);
    output = (output + chunk.toString('utf8')).slice(-KEPT_CHARACTERS);
  };
  child.stdout.on('data', keep(process.stdout));
  child.stderr.on('data', keep(process.stderr));
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode) => resolve(exitCode ?? 1));
  });
  const advice = code === 0 ? undefined : findAdvice(output);
  if (advice !== undefined) process.stderr.write(`\n${advice}\n`);
  return code;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof NotDeployed)) throw error;
  process.stderr.write(`\n${error.message}\n`);
  process.exitCode = USAGE;
}
