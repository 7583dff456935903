import assert from 'node:assert/strict';
import type { Place } from '../place.ts';
import type { Report } from '../report.ts';
import { listRights, readPolicies } from '../rights/policies.ts';
import { createTakeAway } from '../rights/take-away.ts';
import type { GrantedBroker } from './granted.ts';

/** The rights that are taken away here, one a function. */
export const SAMPLE: readonly (readonly [of: string, right: RegExp])[] = [
  ['token', /^dynamodb:UpdateItem: dynamodb:Attributes leaseId$/],
  ['mint-helpdesk', /^secretsmanager:GetSecretValue /],
  ['proxy-helpdesk', /^kms:Decrypt /],
  ['exchange', /^lambda:InvokeFunction on granted_mint_helpdesk$/],
  ['mint-books', /^kms:Decrypt /],
  ['connections', /^dynamodb:UpdateItem /],
  ['refresh', /^dynamodb:Query /],
  ['rotation', /^dynamodb:Query /],
];

/**
 * Takes one right of each kind of function away, and checks that a step misses it. `node test/deploy/rights/cli.ts` takes
 * all of them.
 */
export async function checkSomeRights(report: Report, place: Place, broker: GrantedBroker): Promise<void> {
  const { owner, logFile } = place;
  const rights = (await readPolicies(owner, broker.stack)).flatMap(listRights);
  const takeAway = createTakeAway({ owner, probes: broker.probes, logFile });
  for (const [of, text] of SAMPLE) {
    const right = rights.find((each) => each.policy.of === of && text.test(each.text));
    assert.ok(right !== undefined, `${of} has no right ${text}`);
    await report.step(`Without ${right.text}, ${of} fails`, async () => {
      const missed = await takeAway.tryWithout(right);
      assert.ok(missed !== undefined, 'no step missed it');
      report.note(`${missed.probe.name}: ${missed.how}`);
    });
  }
}
