/** The declaration of connections alone, for a file of them: it loads nothing of CDK's. */

export {
  type AnyDeclaration,
  type ConnectionDeclaration,
  type ConnectionsDeclaration,
  defineConnections,
  type SharedDeclaration,
  type TrustDeclaration,
} from '../../functions/configuration/declaration.ts';
export type * from '../../functions/core/slot/provider.ts';
export type { JsonObject, JsonValue } from '../../functions/core/words/json.ts';
export type { Presets } from '../../functions/providers/registry.ts';
