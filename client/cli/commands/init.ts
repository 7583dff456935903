import { resolve } from 'node:path';
import type { Command } from '../command.ts';
import { EXIT } from '../exit-codes.ts';

/** `token-broker init`: a small CDK app with a broker. */
export const initCommand: Command = {
  name: 'init',
  summary: 'writes a small CDK app with a broker, and installs what it needs',
  operands: [],
  options: { 'no-install': { type: 'boolean', help: 'writes files alone; `npm install` is yours to run' } },
  notes: ['Files that are there already are never written over.'],
  examples: [['init', 'in an empty folder, where this package is installed']],
  async run(call) {
    const folder = resolve('.');
    const written = await call.own.writeApp(folder);
    call.say(`Wrote ${written.join(', ')}.`);
    let isInstalled = false;
    if (!call.flag('no-install')) {
      call.say('Installing CDK with npm …');
      isInstalled = await call.own.installApp(folder);
      if (!isInstalled) call.say('npm could not install it all.');
    }
    if (call.isJson) call.print(JSON.stringify({ written, installed: isInstalled }));
    else {
      call.print('Next:');
      if (!isInstalled) call.print('  npm install');
      call.print('  npx --no-install token-broker dev      the broker on this machine, with connections.mjs');
      const readme = written.find((name) => name.endsWith('.md'));
      call.print(`  npx --no-install token-broker deploy   the broker in AWS; ${readme} says what comes before`);
    }
    return EXIT.ok;
  },
};
