import { afterAll, describe, expect, it } from 'vitest';
import { demoHelpmasterSecret, startDemoHelpmaster } from '../../local/demo/helpmaster.ts';
import { gistOf } from '../system/api-client.ts';
import { waitUntil } from '../system/wait-until.ts';
import { openSharedBrokers, type SharedBroker } from './shared-brokers.ts';

const PROCESSES = 4;
const SUBJECTS = Array.from({ length: 40 }, (_, index) => String(index + 1));

const helpmaster = await startDemoHelpmaster({ knobs: { delayLoginMs: 200, staff: SUBJECTS } });
const shared = await openSharedBrokers({
  connections: { helpdesk: { provider: 'helpmaster', baseUrl: helpmaster.baseUrl } },
  secrets: { helpdesk: { apiKey: 'wrong' } },
  flags: ['--refresh-every', '1'],
});
const brokers = await shared.startMany(PROCESSES);
afterAll(async () => {
  await shared.close();
  await helpmaster.close();
});

/** Asks for every subject at once, each in another process than the one before. */
function askForAll() {
  return Promise.all(SUBJECTS.map((subject, index) => brokers[index % PROCESSES]?.api.token('helpdesk', subject)));
}

describe('the logins of a connection over several processes', () => {
  it('invariants 5, 21, 22: a wrong key is refused once, however many subjects are asked for', async () => {
    const answers = await askForAll();
    expect(new Set(answers.map((answer) => answer && gistOf(answer)))).toEqual(
      new Set(['502 upstream_credential_rejected']),
    );
    expect(helpmaster.ledger().logins).toHaveLength(1);
  });

  it('invariants 5, 21: a good key is tried by one, and then serves everybody', async () => {
    helpmaster.clearLedger();
    await shared.writeSecrets({ helpdesk: demoHelpmasterSecret });
    // Each process reads the file by itself, and ends the back-offs once more.
    const hasRotated = ({ broker }: SharedBroker) => broker.stderr().includes('A secret has a new version');
    await waitUntil('rotation in every process', () => (brokers.every(hasRotated) ? true : undefined));
    const began = Date.now();
    const answers = await askForAll();
    expect(new Set(answers.map((answer) => answer?.status))).toEqual(new Set([200]));
    expect(Date.now() - began).toBeLessThan(10_000);
    expect(helpmaster.ledger().logins.filter(({ status }) => status !== 200)).toEqual([]);
  });
});
