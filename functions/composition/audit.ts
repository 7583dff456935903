import { createAuditTable } from '../adapters/dynamodb/audit-table.ts';
import { createDynamodbClient } from '../adapters/dynamodb/client.ts';
import type { Audit } from '../core/hand-out/audit.ts';
import { required, VARIABLES } from './environment.ts';
import type { Instance, Surroundings } from './instance.ts';

/** Where hand-outs are recorded: the log; where `strictAudit` asks for it, an acknowledged record comes first. */
export function auditOf({ configuration, audit, random }: Instance, { environment }: Surroundings): Audit {
  if (!configuration.strictAudit) return audit;
  const table = createAuditTable({
    client: createDynamodbClient(environment),
    table: required(environment, VARIABLES.auditTable),
    random,
  });
  return {
    async handOut(record) {
      await table.handOut(record);
      await audit.handOut(record);
    },
  };
}
