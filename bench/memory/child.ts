import { pathToFileURL } from 'node:url';
import { longContext } from '../warm/timing.ts';

/**
 * Hands out so many tokens of one slot in this process, then one each of so many others, and writes to standard error
 * what that left behind. Bytes.
 */
const [modulePath = '', eventText = '{}', count = '0', slots = '0'] = process.argv.slice(2);

let logged = 0;
// Measure the function alone, without the pipe behind it.
process.stdout.write = (line: string | Uint8Array) => {
  logged += line.length;
  return true;
};
const bare = process.memoryUsage.rss();
const context = longContext();
const event: unknown = JSON.parse(eventText);
const { handler } = await import(pathToFileURL(modulePath).href);

async function handOut(of = event): Promise<void> {
  const { statusCode } = await handler(of, context);
  if (statusCode !== 200) throw new Error(`The function answered ${statusCode}.`);
}

await handOut();
globalThis.gc?.();
const atRest = process.memoryUsage();
logged = 0;
for (let done = 0; done < Number(count); done += 1) await handOut();
globalThis.gc?.();
const after = process.memoryUsage();
const loggedEach = logged / Number(count);
for (let slot = 1; slot <= Number(slots); slot += 1) {
  const other: unknown = JSON.parse(eventText.replaceAll('system', `${slot}`));
  await handOut(other);
}
globalThis.gc?.();
const filled = process.memoryUsage();
process.stderr.write(
  `${JSON.stringify({
    bare,
    atRest: atRest.rss,
    after: after.rss,
    heapAtRest: atRest.heapUsed,
    heapAfter: after.heapUsed,
    filled: filled.rss,
    heapFilled: filled.heapUsed,
    logged: loggedEach,
  })}\n`,
);
process.exit(0);
