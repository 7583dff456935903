import { createClient } from './client.ts';

/** A signed call, and its status; for `docs/first-hour.md`. */
const [url = '', target = '/connections'] = process.argv.slice(2);
const said = await createClient(url)('GET', target).then(
  ({ status }) => `answered ${status}`,
  () => 'no way in',
);
process.stdout.write(`${said}\n`);
