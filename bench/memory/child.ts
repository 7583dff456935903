import { pathToFileURL } from 'node:url';
import { longContext } from '../warm/timing.ts';

/** Hands out so many tokens in this process, and writes to standard error what that left behind. Bytes. */
const [modulePath = '', eventText = '{}', count = '0'] = process.argv.slice(2);

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

async function handOut(): Promise<void> {
  const { statusCode } = await handler(event, context);
  if (statusCode !== 200) throw new Error(`The function answered ${statusCode}.`);
}

await handOut();
globalThis.gc?.();
const atRest = process.memoryUsage();
logged = 0;
for (let done = 0; done < Number(count); done += 1) await handOut();
globalThis.gc?.();
const after = process.memoryUsage();
process.stderr.write(
  `${JSON.stringify({
    bare,
    atRest: atRest.rss,
    after: after.rss,
    heapAtRest: atRest.heapUsed,
    heapAfter: after.heapUsed,
    logged: logged / Number(count),
  })}\n`,
);
process.exit(0);
