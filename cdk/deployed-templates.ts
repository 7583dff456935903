import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  CloudFormationClient,
  DescribeStacksCommand,
  GetTemplateCommand,
  paginateListStackResources,
  type StackStatus,
} from '@aws-sdk/client-cloudformation';
import type { CloudFormationStackArtifact } from 'aws-cdk-lib/cx-api';
import { findNestedTemplates } from './assembly.ts';
import { findRisks, joinTemplates, type Template } from './deploy-risks.ts';

/** Metadata by which CDK names the file of a resource. */
const ASSET_PATH = 'aws:asset:path';

/** A resource of a template, as far as it is read here. */
interface Resource {
  readonly Type?: string;
  readonly Metadata?: Readonly<Record<string, string>>;
}

/** Finds the risks of deploying a stack of an assembly, with its nested ones, over what is deployed under its name. */
export async function findRisksOf(stack: CloudFormationStackArtifact, region: string): Promise<readonly string[]> {
  const client = new CloudFormationClient({ region });
  const { stackName } = stack;
  const deployed = await readDeployed(client, stackName);
  if (deployed === undefined || (await hasNothing(client, stackName))) return [];
  const deployedNested: Template[] = [];
  for (const each of await listNested(client, stackName)) {
    deployedNested.push((await readDeployed(client, each)) ?? {});
  }
  return findRisks(joinTemplates(deployed, deployedNested), wholeTemplateOf(stack));
}

/** Gives the template of a stack of an assembly, joined with those of its nested stacks. */
export function wholeTemplateOf({ template, assembly: { directory } }: CloudFormationStackArtifact): Template {
  return joinTemplates(template, nestedIn(template, directory));
}

/** Reads the templates of the nested stacks of a template, and of theirs; all of the assembly where CDK named no files. */
function nestedIn({ Resources: resources = {} }: Template, directory: string): readonly Template[] {
  const read = (file: string): Template => JSON.parse(readFileSync(file, 'utf8'));
  const files = Object.values(resources).flatMap((resource) => {
    const { Type: type, Metadata: metadata }: Resource = Object(resource);
    return type === 'AWS::CloudFormation::Stack' ? [metadata?.[ASSET_PATH]] : [];
  });
  if (!files.every((file) => file !== undefined)) return findNestedTemplates(directory).map(read);
  return files.flatMap((file) => {
    const nested = read(join(directory, file));
    return [nested, ...nestedIn(nested, directory)];
  });
}

/** The states of a stack of which nothing is there: its first deployment failed or was never run, or it was deleted. */
const EMPTY = new Set<StackStatus | undefined>(['ROLLBACK_COMPLETE', 'REVIEW_IN_PROGRESS', 'DELETE_COMPLETE']);

/** Reports whether nothing of a stack is there, so that CDK makes it from the beginning. */
async function hasNothing(client: CloudFormationClient, stackName: string): Promise<boolean> {
  const described = await unlessMissing(client.send(new DescribeStacksCommand({ StackName: stackName })));
  return described === undefined || EMPTY.has(described.Stacks?.[0]?.StackStatus);
}

/** Lists the nested stacks of a deployed stack, by ARN. */
async function listNested(client: CloudFormationClient, stackName: string): Promise<readonly string[]> {
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

/** Reads the deployed template of a stack; undefined where there is no such stack. */
async function readDeployed(client: CloudFormationClient, stackName: string): Promise<Template | undefined> {
  const found = await unlessMissing(client.send(new GetTemplateCommand({ StackName: stackName })));
  return found && JSON.parse(found.TemplateBody ?? '{}');
}

/** Gives an answer about a stack; undefined where CloudFormation has no such stack. */
async function unlessMissing<Answer>(answer: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Error && error.message.includes('does not exist')) return undefined;
    throw error;
  }
}
