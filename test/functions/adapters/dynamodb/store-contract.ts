import { describe } from 'vitest';
import { describeKept } from './store-contract-kept.ts';
import { describeLeases } from './store-contract-leases.ts';
import { describeLogins } from './store-contract-logins.ts';
import { describeNotes } from './store-contract-notes.ts';
import { describeOutcomes } from './store-contract-outcomes.ts';
import { describePermits } from './store-contract-permits.ts';
import { describeProxyWrites } from './store-contract-proxy.ts';
import { describeReads } from './store-contract-reads.ts';
import { type DynamodbEngine, useStore } from './store-under-test.ts';

/** Registers all that the store promises as tests on one DynamoDB, be it embedded, AWS's own for local use, or AWS. */
export function describeStoreContract(engineName: string, start: () => Promise<DynamodbEngine>): void {
  describe(`the store on ${engineName}`, () => {
    const subject = useStore(start);
    describeLeases(subject);
    describeOutcomes(subject);
    describeNotes(subject);
    describeReads(subject);
    describeLogins(subject);
    describeKept(subject);
    describePermits(subject);
    describeProxyWrites(subject);
  });
}
