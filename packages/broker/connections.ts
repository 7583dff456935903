/** The declaration of connections alone, for a file of them: it loads nothing of CDK's. */
export {
  type AnyDeclaration,
  type ConnectionDeclaration,
  type ConnectionsDeclaration,
  defineConnections,
  type TrustDeclaration,
} from '../../functions/configuration/declaration.ts';
