import type { Command } from '../command.ts';
import { EXIT, UsageError } from '../exit-codes.ts';

/** `token-broker schema`: prints the JSON Schema of a connections file, for editors. */
export const schemaCommand: Command = {
  name: 'schema',
  summary: 'prints the JSON Schema of a connections file, for editors',
  operands: [],
  options: {},
  notes: [
    'Name it in the file: "$schema": "./connections.schema.json". The editor then completes and checks the keys.',
  ],
  examples: [['schema > connections.schema.json', 'beside the file that names it']],
  async run(call) {
    if (call.own === undefined) throw new UsageError(NO_BROKER);
    call.print(call.own.schema());
    return EXIT.ok;
  },
};

/** The message for what only a program with the whole broker can do. */
export const NO_BROKER =
  'This program is the client alone. In a clone of the broker, `npm run -s token-broker --` has this too.';
