import type { Command } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { durationOf, tableOf } from '../table.ts';

/** `token-broker connections`: lists the connections. */
export const connectionsCommand: Command = {
  name: 'connections',
  summary: 'lists the connections',
  operands: [],
  options: {},
  examples: [
    ['connections', 'names, providers, and how long a token lives'],
    ['connections --json', 'the same for programs'],
  ],
  async run(call) {
    const connections = await call.client.connections();
    if (call.isJson) {
      call.print(JSON.stringify({ connections }, undefined, 2));
      return EXIT.ok;
    }
    const rows = connections.map(({ name, provider, lifetime_seconds: seconds }) => [
      name,
      provider,
      durationOf(seconds * 1000),
    ]);
    const head = ['NAME', 'PROVIDER', 'LIFETIME'].map((title) => call.paint('dim', title));
    call.print(tableOf([head, ...rows]));
    for (const { name, warning } of connections) if (warning !== undefined) call.say(`warning: ${name}: ${warning}`);
    return EXIT.ok;
  },
};
