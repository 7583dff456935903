// node token.mjs: Node alone.
import { readFileSync } from 'node:fs';

const { AGENT_URL, AGENT_TOKEN_FILE } = process.env;
const headers = { 'x-token-broker-agent-token': readFileSync(AGENT_TOKEN_FILE, 'utf8') };
const answer = await fetch(`${AGENT_URL}/tokens/helpdesk/88`, { headers });
if (!answer.ok) throw new Error(`no token: ${await answer.text()}`);
console.log(await answer.text());
