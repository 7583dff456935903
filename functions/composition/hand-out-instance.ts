import type { Environment } from '../adapters/aws/client.ts';
import { createKmsKeys } from '../adapters/aws/kms-keys.ts';
import { createAuditTable } from '../adapters/dynamodb/audit-table.ts';
import { createDynamodbClient } from '../adapters/dynamodb/client.ts';
import type { Audit } from '../core/hand-out/audit.ts';
import { createTokenMemory, type TokenMemory } from '../core/hand-out/memory.ts';
import type { RequestMint, RequestMintDependencies } from '../core/hand-out/request-mint.ts';
import type { Keys } from '../core/slot/keys.ts';
import type { MintInvoker } from '../core/slot/minter.ts';
import { readMostWaits, readRequired, VARIABLES } from './environment.ts';
import { createInstance, type Instance, type Surroundings } from './instance.ts';
import { createLazyMinter } from './lazy-minter.ts';
import { once } from './once.ts';

/** The dependencies of a function that hands out tokens: `token`, `proxy` and `exchange`. */
export interface HandOutInstance extends Instance {
  readonly keys: Keys;
  readonly minter: MintInvoker;
  readonly requestMint: RequestMint;
  readonly memory: TokenMemory;
}

/** Creates the dependencies of such a function from its environment; `service` as for `createInstance`. */
export function createHandOutInstance(service: string, surroundings: Surroundings): HandOutInstance {
  const { environment } = surroundings;
  const instance = createInstance(service, surroundings);
  const minter = createLazyMinter(environment);
  return {
    ...instance,
    audit: createAudit(instance, environment),
    keys: createLazyKeys(instance, environment),
    minter,
    requestMint: createLazyRequestMint({ ...instance, minter, mostWaits: readMostWaits(environment) }),
    memory: createTokenMemory(),
  };
}

/** Creates the record of hand-outs: the log; where `strictAudit` asks for it, an acknowledged record comes first. */
function createAudit({ configuration, audit, random }: Instance, environment: Environment): Audit {
  if (!configuration.strictAudit) return audit;
  const name = readRequired(environment, VARIABLES.auditTable);
  const table = createAuditTable({ client: createDynamodbClient(environment), table: name, random });
  return {
    async handOut(record) {
      await table.handOut(record);
      await audit.handOut(record);
    },
  };
}

/**
 * Creates the data keys of the broker. The KMS client is loaded and made when the first key is asked for: what is
 * handed out from memory needs none.
 */
function createLazyKeys({ broker, clock }: Instance, environment: Environment): Keys {
  const keyId = readRequired(environment, VARIABLES.key);
  const requests = once(async () => {
    const { createKmsClient, createKmsRequests } = await import('../adapters/aws/kms.ts');
    return createKmsRequests({ client: createKmsClient(environment), keyId });
  });
  return createKmsKeys({
    requests: {
      generate: async (...about) => (await requests()).generate(...about),
      decrypt: async (...about) => (await requests()).decrypt(...about),
    },
    broker,
    clock,
  });
}

/** Creates the request to mint, which is loaded at the first use, as what it invokes is. */
function createLazyRequestMint(dependencies: RequestMintDependencies): RequestMint {
  const requestMint = once(async () => {
    const { createRequestMint } = await import('./minting.ts');
    return createRequestMint(dependencies);
  });
  return {
    acceptReport: async (report) => (await requestMint()).acceptReport(report),
    beginWait: async (...about) => (await requestMint()).beginWait(...about),
    mint: async (request, seen, way) => (await requestMint()).mint(request, seen, way),
    recordUseless: async (...about) => (await requestMint()).recordUseless(...about),
  };
}
