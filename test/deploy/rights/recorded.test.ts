import { describe, expect, it } from 'vitest';
import { deployed } from '../../cdk/deployed.ts';
import { policiesOf } from '../../cdk/deployed-policies.ts';
import { SAMPLE } from '../chapters/rights.ts';
import { GRANTED_BROKER } from '../granted-roles.ts';
import { declareEveryKind } from '../upstreams.ts';
import { readRecorded } from './page.ts';
import { listRights, parsePolicy, rolesIn } from './policies.ts';
import { NOT_EMULATED } from './take-away.ts';

const at = (name: string) => ({ baseUrl: `https://${name}.test`, url: `https://${name}.test` });
const demo = { helpmaster: at('helpmaster'), community: at('community'), oauth: at('oauth'), issuer: at('issuer') };
const { template } = deployed({ name: GRANTED_BROKER, ...declareEveryKind({ demo }) });
const policies = policiesOf(template);

/** The rights that the template gives, as `cli.ts` names them. */
const given = rolesIn(template.toJSON()['Resources']).flatMap(({ id, of }) => {
  const document = parsePolicy({ Statement: policies.statementsOf(id) });
  return listRights({ of, document }).map(({ text }) => ({ of, text }));
});

const recorded = [...readRecorded()].flatMap(([of, { rows }]) => rows.map((row) => ({ of, ...row })));

const named = (rights: readonly { readonly of: string; readonly text: string }[]) =>
  rights.map(({ of, text }) => `${of}: ${text}`).sort();

describe('the table of rights that were taken away', () => {
  it('has each right that the template gives a function or the schedule, and no other', () => {
    expect(given.length).toBeGreaterThan(100);
    expect(named(recorded), 'Run `node test/deploy/rights/cli.ts` with the roles that differ.').toEqual(named(given));
  });

  it('says of each which step misses it, or that the emulator does not model its use', () => {
    const unmissed = recorded.filter(({ probe }) => probe.startsWith('**'));
    expect(named(unmissed)).toEqual([]);
    const notEmulated = recorded.filter(({ probe }) => probe === NOT_EMULATED.probe);
    expect(named(notEmulated)).toEqual(NOT_EMULATED.rights);
  });

  it('has what the deploy test repeats of it', () => {
    for (const [of, right] of SAMPLE) {
      expect(
        given.filter((each) => each.of === of && right.test(each.text)),
        `${of} ${right}`,
      ).toHaveLength(1);
    }
  });
});
