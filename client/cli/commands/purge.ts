import { type Command, operand, subjectOption } from '../command.ts';
import { EXIT } from '../exit-codes.ts';

/** `token-broker purge`: drops the cached token of one slot. For operators. */
export const purgeCommand: Command = {
  name: 'purge',
  summary: "drops a slot's cached token, and ends its refusal and back-off",
  operands: ['CONNECTION'],
  options: { subject: subjectOption },
  notes: [
    'The next request logs in. The token itself lives on at the upstream, and warm instances of the broker may hand it',
    "out for the connection's memorySeconds (30) more.",
  ],
  examples: [
    ['purge wfm', "the connection's own identity"],
    ['purge helpdesk --subject 88', 'one staff member'],
  ],
  async run(call) {
    const connection = operand(call, 0);
    const subject = call.text('subject') ?? 'system';
    await call.client.purge(connection, { subject });
    if (call.isJson) call.print(JSON.stringify({ connection, subject, purged: true }));
    else call.say(`Purged ${connection}/${subject}. The next request for it logs in.`);
    return EXIT.ok;
  },
};
