import { flagsOf } from '../../local/flags.ts';
import { startSystem, type TestControls } from '../../local/system.ts';

/** An order of the parent process: the fault of Lambda, and so of `mint`, from now on. */
export interface ControlMessage {
  readonly lambda: 'none' | 'throttle';
}

// A broker as `npm start` runs it, with its parent holding the controls of its platform.
let controls: TestControls | undefined;
const system = await startSystem(flagsOf(process.argv.slice(2)), {
  log: process.stderr,
  report: (message) => void process.stderr.write(`${message}\n`),
  onControls: (given) => {
    controls = given;
  },
});
process.on('message', ({ lambda }: ControlMessage) => {
  if (lambda === 'none') controls?.aws.clear();
  else controls?.aws.set('lambda', { mode: lambda });
  process.send?.({ done: true });
});
process.on('SIGTERM', async () => {
  await system.close();
  process.disconnect();
});
process.send?.({ url: system.url });
