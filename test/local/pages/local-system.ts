import { Writable } from 'node:stream';
import { flagsOf } from '../../../local/flags.ts';
import { type LocalSystem, startSystem, type TestControls } from '../../../local/system.ts';
import { type Received, send } from '../demo/demo-client.ts';

/** A broker within this process, and all that it logged. */
export interface SystemUnderTest extends LocalSystem {
  readonly controls: TestControls;
  logged(): string;
}

/** Starts the broker on a free port, with faults at hand. */
export async function startSystemUnderTest(flags: readonly string[] = []): Promise<SystemUnderTest> {
  let logged = '';
  let controls: TestControls | undefined;
  const log = new Writable({
    write(chunk, _encoding, done) {
      logged += String(chunk);
      done();
    },
  });
  const system = await startSystem(flagsOf(['--port', '0', '--refresh-every', '3600', ...flags]), {
    log,
    report: () => undefined,
    onControls: (given) => {
      controls = given;
    },
  });
  if (controls === undefined) throw new Error('The system handed over no controls.');
  return { ...system, controls, logged: () => logged };
}

/** Posts to one of the page's endpoints as the page itself does. */
export function press(
  url: string,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Received> {
  return send(`${url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: url, ...headers },
    body: JSON.stringify(body),
  });
}
