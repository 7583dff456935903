import { problemCodeIn } from '../handed-out.ts';
import { createClient } from './client.ts';

/** Proxied paths with escapes, as the client sends them, and the answers; for `docs/first-hour.md`. */
const [url = ''] = process.argv.slice(2);
const call = createClient(url);
for (const path of ['/only%3Fb', '/only%2Fb', '/only%20b', '/only%C3%A4', '/only;x']) {
  const { status, body } = await call('GET', `/proxy/quick/system${path}`);
  process.stdout.write(`${status} ${problemCodeIn(body) ?? 'an answer of the upstream'} ${path}\n`);
}
