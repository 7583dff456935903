import { fullDiff, ResourceImpact } from '@aws-cdk/cloudformation-diff';
import { CONNECTIONS_METADATA, CONNECTIONS_OUTPUT } from './names.ts';

/** A template of CloudFormation, as far as it is read here. */
export interface Template {
  readonly Resources?: Readonly<Record<string, unknown>>;
  readonly Outputs?: Readonly<Record<string, { readonly Value?: unknown }>>;
  readonly Metadata?: Readonly<Record<string, unknown>>;
}

/** Joins the templates of a stack and its nested stacks: a function that moves between them is no risk. */
export function joinTemplates(own: Template, nested: readonly Template[]): Template {
  const resources = nested.flatMap(({ Resources = {} }) => Object.entries(Resources));
  const listed = [own, ...nested].flatMap(({ Metadata: metadata }) => metadata?.[CONNECTIONS_METADATA] ?? []);
  return {
    ...own,
    Resources: { ...own.Resources, ...Object.fromEntries(resources) },
    ...(listed.length === 0 ? {} : { Metadata: { ...own.Metadata, [CONNECTIONS_METADATA]: listed } }),
  };
}

const REPLACED = [ResourceImpact.WILL_REPLACE, ResourceImpact.MAY_REPLACE];
const LOST = [ResourceImpact.WILL_DESTROY, ...REPLACED];
/** Resources that hold what nobody else has, and the impacts on each that an operator is asked about. */
const KEPT = new Map<string, readonly ResourceImpact[]>([
  ['AWS::SecretsManager::Secret', LOST],
  ['AWS::KMS::Key', LOST],
  ['AWS::DynamoDB::GlobalTable', LOST],
  // Callers have its address.
  ['AWS::ApiGateway::RestApi', LOST],
  ['AWS::ApiGatewayV2::Api', LOST],
]);

/**
 * Lists what a deployment would do that cannot be undone, or that lets somebody do more than before, a sentence each:
 * connections that go, secrets and stores that are replaced, permissions that are broadened.
 */
export function findRisks(deployed: Template, next: Template): string[] {
  const diff = fullDiff({ ...deployed }, { ...next });
  const risks = connectionsOf(deployed)
    .filter((name) => !connectionsOf(next).includes(name))
    .map((name) => `The connection ${name} goes, and who calls it gets 404.`);
  diff.resources.forEachDifference((id, change) => {
    const type = change.resourceType;
    const impact = change.changeImpact;
    if (typeof type !== 'string' || KEPT.get(type)?.includes(impact) !== true) return;
    risks.push(`${type} ${id} is ${REPLACED.includes(impact) ? 'replaced by a new one' : 'deleted'}.`);
  });
  if (diff.permissionsBroadened) risks.push('Permissions are broadened; `npx cdk diff` shows which.');
  return risks;
}

function connectionsOf({ Outputs: outputs, Metadata: metadata }: Template): readonly string[] {
  const named = metadata?.[CONNECTIONS_METADATA];
  if (Array.isArray(named)) return named.map(String);
  const listed = outputs?.[CONNECTIONS_OUTPUT]?.Value;
  return typeof listed === 'string' ? listed.split(',') : [];
}
