import { type Command, operand } from '../command.ts';
import { EXIT, UsageError } from '../exit-codes.ts';
import { readAll } from '../terminal.ts';

/** `token-broker trust check`: judges a JWT by the rules of a connections file, without a broker. */
export const trustCheckCommand: Command = {
  name: 'trust check',
  summary: 'says which trust rule of a connections file lets a JWT in',
  operands: ['FILE', 'JWT'],
  options: {},
  notes: [
    'For each rule: that it lets the JWT in, or the first claim that keeps it out. The signature is not looked at, and no',
    'broker is asked. `-` reads the JWT from stdin, where other users of the machine do not see it.',
  ],
  examples: [
    ['trust check connections.ts - < jwt.txt', 'by the rules of connections.ts'],
    ['trust check connections.json - --json < jwt.txt', 'as JSON'],
  ],
  async run(call) {
    const given = operand(call, 1);
    const jwt = given === '-' ? (await readAll(call.terminal.stdin)).toString('utf8') : given;
    // Loaded here, so that no other command pays for the rules.
    const [{ loadConfigurationFile }, { checkTrustOf }] = await Promise.all([
      import('../../../functions/configuration/load-file.ts'),
      import('../../../functions/exchange/trust-check.ts'),
    ]);
    const { trust } = await loadConfigurationFile(operand(call, 0)).catch((error: unknown) => {
      // Its message is made for operators, and quotes no value.
      if (error instanceof Error && error.name === 'ConfigurationError') throw new UsageError(error.message);
      throw error;
    });
    const { issuer, subject, refusal, rules } = checkTrustOf(jwt.trim(), trust, Date.now());
    const isLetIn = refusal === undefined && rules.some(({ bar }) => bar === undefined);
    if (call.isJson) call.print(JSON.stringify({ let_in: isLetIn, issuer, subject, refusal, rules }));
    else {
      if (issuer !== undefined) call.print(`iss ${JSON.stringify(issuer)}, sub ${JSON.stringify(subject)}`);
      if (refusal !== undefined) call.print(refusal);
      for (const { rule, bar, connections, subjects } of rules) {
        const opened = `lets it have ${connections.join(', ')} as ${subjects.join(', ')}`;
        call.print(`${rule}: ${bar === undefined ? opened : `no: ${bar}`}`);
      }
      if (rules.length === 0 && refusal === undefined) call.print('The file has no trust rules.');
    }
    return isLetIn ? EXIT.ok : EXIT.unhealthy;
  },
};
