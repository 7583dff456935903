import { type Command, operand, subjectOption } from '../command.ts';
import { EXIT } from '../exit-codes.ts';

/** `token-broker purge`: drops the cached token of one slot. For operators. */
export const purgeCommand: Command = {
  name: 'purge',
  summary: "drops a slot's cached token, and ends its refusal and back-off",
  operands: ['CONNECTION'],
  options: { subject: subjectOption },
  notes: [
    'The next request that looks into the store logs in. The token itself lives on at the upstream, and warm instances of',
    "the broker may hand it out from memory for the connection's memorySeconds (30) more.",
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
    else {
      call.say(
        `Purged ${connection}/${subject}. Warm instances may hand its token out for memorySeconds more; any other request logs in.`,
      );
    }
    return EXIT.ok;
  },
};
