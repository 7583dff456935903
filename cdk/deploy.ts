import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { CloudAssembly, type CloudFormationStackArtifact, UNKNOWN_REGION } from 'aws-cdk-lib/cx-api';
import type { DeployOptions } from '../client/cli/command.ts';
import { callerIdentity } from '../client/cli/doctor/caller-identity.ts';
import { assemblyOf, findCdk, prepareSynth } from './assembly.ts';
import { callerNamesOf } from './caller-names.ts';
import { findAdvice, findRegion, NO_REGION, readAwsConfiguration } from './deploy-advice.ts';
import { findRisksOf, wholeTemplateOf } from './deployed-templates.ts';
import { CONNECTIONS_METADATA, EXAMPLE_WARNING } from './names.ts';

/** Exit code for a fault that the operator can fix before anything is deployed. */
const USAGE = 2;
/** The end of the output that is searched for a known error. */
const KEPT_CHARACTERS = 50_000;
const IDENTITY_WITHIN_MS = 10_000;
const ACCOUNT = /[0-9]{12}/;

/** A deployment that ends before anything is deployed. The message is for the operator. */
class NotDeployed extends Error {}

/** Deploys a CDK app with a broker, and asks before it does what cannot be undone. Gives the exit code. */
export async function deploy(options: DeployOptions): Promise<number> {
  try {
    return await deployGuarded(options);
  } catch (error) {
    if (!(error instanceof NotDeployed)) throw error;
    process.stderr.write(`\n${error.message}\n`);
    return USAGE;
  }
}

async function deployGuarded({ folder, stage, context, isAgreed, passedOn, ...options }: DeployOptions) {
  const runCdk = cdkOf(folder);
  const assembly = assemblyOf(folder);
  // CDK and the SDK both read them: what is compared and what is deployed are of one account and one region.
  if (options.profile !== undefined) process.env['AWS_PROFILE'] = options.profile;
  if (options.region !== undefined) process.env['AWS_REGION'] = options.region;
  const region = findRegion(process.env, readAwsConfiguration());
  if (region === undefined) throw new NotDeployed(NO_REGION);
  process.env['AWS_REGION'] = region;

  const me = options.allowsMe ? callerNamesOf(await findOwnArn(region)) : [];
  const settings = [
    ...context,
    ...(stage === undefined ? [] : [`stage=${stage}`]),
    ...(me.length === 0 ? [] : [`allowMe=${me.join(',')}`]),
  ];
  const synthesized = await runCdk(
    prepareSynth(
      assembly,
      settings.flatMap((each) => ['--context', each]),
    ),
  );
  if (synthesized !== 0) return synthesized;
  const stacks = new CloudAssembly(assembly).stacksRecursively;
  checkStacks(stacks, { stage, me });
  const risks = await findAllRisks(stacks, region);
  if (risks.length > 0 && !isAgreed) await ask(risks);
  return runCdk(['deploy', '--app', assembly, '--require-approval', 'never', ...passedOn]);
}

/** The ARN by which STS knows who deploys. */
async function findOwnArn(region: string): Promise<string> {
  try {
    return await callerIdentity({ region, timeoutMs: IDENTITY_WITHIN_MS, environment: process.env });
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    throw new NotDeployed(findAdvice(said) ?? said);
  }
}

/** Throws `NotDeployed` for an address of an example, and for a setting that was given to the app and is not taken. */
function checkStacks(
  stacks: readonly CloudFormationStackArtifact[],
  { stage, me }: { readonly stage: string | undefined; readonly me: readonly string[] },
): void {
  const warnings = stacks.flatMap(({ messages }) => messages.map(({ entry }) => String(entry.data)));
  const examples = warnings.filter((text) => text.includes(EXAMPLE_WARNING)).map((text) => text.split(' ')[0]);
  if (examples.length > 0) {
    throw new NotDeployed(
      `${examples.join(', ')} is an example's address, and nobody can log in there. Declare your own upstream in its place.`,
    );
  }
  for (const stack of stacks) {
    const { stackName } = stack;
    const template = wholeTemplateOf(stack);
    if (template.Metadata?.[CONNECTIONS_METADATA] === undefined) continue;
    if (stage !== undefined && !`-${stackName}-`.includes(`-${stage}-`)) {
      throw new NotDeployed(
        `This app does not take --stage, and would deploy ${stackName} in its place: name stack and broker after \`app.node.tryGetContext('stage')\`, or make the stack by \`createBrokerStack\`, which does.`,
      );
    }
    const text = JSON.stringify(template);
    if (me.some((arn) => !text.includes(arn))) {
      throw new NotDeployed(
        `This app does not take --allow-me. Name yourself in \`callers\` of the broker:\n  ${me.join('\n  ')}`,
      );
    }
  }
}

/** Finds the risks of all stacks, each where it is deployed. Throws `NotDeployed` where that cannot be read. */
async function findAllRisks(stacks: readonly CloudFormationStackArtifact[], region: string): Promise<string[]> {
  const risks: string[] = [];
  const isNamed = stacks.some(({ environment }) => ACCOUNT.test(environment.account));
  const own = isNamed ? ACCOUNT.exec(await findOwnArn(region))?.[0] : undefined;
  for (const stack of stacks) {
    const { account, region: named } = stack.environment;
    if (ACCOUNT.test(account) && account !== own) {
      risks.push(`${stack.stackName} goes to the account ${account}, and what it would drop there cannot be read.`);
      continue;
    }
    const where = named === UNKNOWN_REGION ? region : named;
    const found = await findRisksOf(stack, where).catch((error: unknown) => {
      const said = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      throw new NotDeployed(findAdvice(said) ?? `What is deployed now could not be read: ${said}`);
    });
    risks.push(...found);
  }
  return risks;
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

/**
 * Creates what runs CDK for the app in a folder: it shows what CDK says and what to do about a known error, and gives the
 * exit code. Throws `NotDeployed` where there is no app, or no CDK.
 */
function cdkOf(folder: string): (words: readonly string[]) => Promise<number> {
  if (!existsSync(join(folder, 'cdk.json'))) {
    throw new NotDeployed(
      'There is no cdk.json here: run this in the folder of the CDK app. `token-broker init` writes one.',
    );
  }
  const program = findCdk(folder);
  if (program === undefined) {
    throw new NotDeployed('The app has no CDK to deploy with:\n  npm install --save-dev aws-cdk');
  }
  return async (words) => {
    // Without the warning of the SDK inside CDK that its next version needs a newer Node.
    const env = { ...process.env, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' };
    const child = spawn(process.execPath, [program, ...words], {
      cwd: folder,
      env,
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
  };
}
