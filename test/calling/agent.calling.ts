import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { AGENT_TOKEN, startAgentUnderTest } from '../client/agent/agent-under-test.ts';
import { startLocalBroker } from '../client/local-broker.ts';
import { startBroker } from '../system/broker-process.ts';
import { makeFolder } from '../system/own-broker.ts';
import { agentProgram, agentPrograms, agentRecipes } from './agent-programs.ts';
import { prepareLanguages } from './languages.ts';

describe('callers of the agent, by the standard library of their language', async () => {
  const [broker, languages, folder] = await Promise.all([
    startBroker(['--require-sigv4']),
    prepareLanguages(),
    makeFolder(),
  ]);
  const agent = await startAgentUnderTest(broker.url, { served: [{ connection: 'helpdesk', subject: '88' }] });
  const [right, wrong] = [join(folder.path, 'right'), join(folder.path, 'wrong')];
  await Promise.all([writeFile(right, AGENT_TOKEN), writeFile(wrong, 'another')]);
  afterAll(async () => {
    await agent.close();
    await Promise.all([broker.stop(), folder.remove()]);
  });
  const variables = (file: string) => ({ AGENT_URL: agent.address, AGENT_TOKEN_FILE: file, no_proxy: '127.0.0.1' });

  it.each(agentPrograms)('%s prints a hand-out', async (language, file) => {
    const { stdout, stderr, failed } = await languages[language](agentProgram(file), variables(right));

    expect({ failed, stderr }).toEqual({ failed: false, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ connection: 'helpdesk', subject: '88', token_type: 'Bearer' });
  });

  it.each(agentPrograms)("%s gets none without the agent's own token, and fails", async (language, file) => {
    const { stdout, failed } = await languages[language](agentProgram(file), variables(wrong));

    expect(failed).toBe(true);
    expect(stdout).not.toContain('access_token');
  });
});

describe('recipes for a token that the upstream has ended', async () => {
  const [broker, languages, folder] = await Promise.all([startLocalBroker(), prepareLanguages(), makeFolder()]);
  const agent = await startAgentUnderTest(broker.url, { served: [{ connection: 'helpdesk', subject: '88' }] });
  const file = join(folder.path, 'token');
  await writeFile(file, AGENT_TOKEN);
  afterAll(async () => {
    await agent.close();
    await Promise.all([broker.close(), folder.remove()]);
  });

  it.each(agentRecipes)('%s reports it, and calls with the next one', async (language, recipe) => {
    const { json } = await agent.ask('/tokens/helpdesk/88');
    await broker.turn('helpmaster', { revokeIssued: true });
    const { stdout, stderr, failed } = await languages[language](agentProgram(recipe, 'recipes'), {
      ...{ AGENT_URL: agent.address, AGENT_TOKEN_FILE: file, no_proxy: '127.0.0.1' },
      UPSTREAM_URL: broker.helpmaster.baseUrl,
    });

    expect({ failed, stderr }).toEqual({ failed: false, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ success: true, actingAs: { userid: '88' } });
    expect((await agent.ask('/tokens/helpdesk/88')).json['access_token']).not.toBe(json['access_token']);
  });
});
