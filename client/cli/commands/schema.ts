import type { Command } from '../command.ts';
import { EXIT } from '../exit-codes.ts';

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
    call.print(call.own.schema());
    return EXIT.ok;
  },
};
