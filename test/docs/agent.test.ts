import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../client/agent/limits.ts';
import { agentPrograms, agentRecipes, linesThatCount } from '../calling/agent-programs.ts';
import { mistakeIn } from './command-lines.ts';
import { ROOT, readPage } from './repository.ts';

const page = readPage('docs/agent.md');

describe('docs/agent.md', () => {
  it('lists every caller, and says which are run', () => {
    const rows = [...page.matchAll(/\[([\w.]+)\]\(agent\/examples\/\1\) \| (.*?) \|$/gm)];
    const files = readdirSync(join(ROOT, 'docs/agent/examples'));
    expect(rows.map(([, file]) => file).toSorted()).toEqual(files.toSorted());
    const run = rows.filter(([, , said]) => said === 'by CI').map(([, file]) => file);
    expect(run.toSorted()).toEqual(agentPrograms.map(([, file]) => file).toSorted());
    for (const [, file, said = ''] of rows) if (!run.includes(file)) expect(said).toMatch(/^\*\*never\*\*/);
  });

  it('has callers of fewer than ten lines, imports and comments aside', () => {
    for (const file of readdirSync(join(ROOT, 'docs/agent/examples'))) {
      const lines = linesThatCount(readPage(`docs/agent/examples/${file}`));
      expect([file, lines.length < 10]).toEqual([file, true]);
    }
  });

  it('names every recipe, and all are run', () => {
    const named = [...page.matchAll(/\(agent\/recipes\/([\w.]+)\)/g)].map(([, file]) => file);
    expect(named.toSorted()).toEqual(readdirSync(join(ROOT, 'docs/agent/recipes')).toSorted());
    expect(named.toSorted()).toEqual(agentRecipes.map(([, file]) => file).toSorted());
  });

  it('has the limits of the agent', () => {
    const [, said = ''] = /\*\*Limits\*\*: (.*)$/m.exec(page) ?? [];
    const { connections, requests, proxiedCalls, headBytes, tokenBodyBytes, proxiedBodyBytes, headMs, requestMs } =
      LIMITS;
    expect(said).toBe(
      `${connections} connections, ${requests} hand-outs and ${proxiedCalls} proxied calls at once, heads of ${headBytes / 1024} KB, bodies of ${tokenBodyBytes / 1024} KB, proxied ones of ${proxiedBodyBytes / 1e6} MB; ${headMs / 1000} seconds for a head, ${requestMs / 1000} for a request, \`--timeout\` (30) for the broker.`,
    );
    expect(page).toContain(`${LIMITS.slots.toLocaleString('en')} slots at the most`);
    expect(page).toContain(`for ${LIMITS.stopMs / 1000} seconds at most`);
  });
});

describe('what is ready made', () => {
  it.each([
    ['token-broker-agent.service', /^ExecStart=token-broker (.*)$/m],
    ['sidecar.yaml', /^ +args: \[(.*)\]$/m],
  ])('%s has a command line that the agent takes', (file, pattern) => {
    const [, line = ''] = pattern.exec(readPage(`docs/agent/${file}`)) ?? [];
    expect(line).toContain('--connection');
    expect(mistakeIn(line.replaceAll(',', ''), true)).toBeUndefined();
  });

  it('gives the agent the same environment', () => {
    const unit = readPage('docs/agent/token-broker-agent.service');
    const [sidecar = ''] = readPage('docs/agent/sidecar.yaml').split('\n  containers:');
    const ofUnit = [...unit.matchAll(/^Environment=(\w+)=(.*)$/gm)];
    const ofSidecar = [...sidecar.matchAll(/- (?:\{ )?name: ([A-Z_]+),?\s+value: '?(.*?)'?(?: \})?$/gm)];
    const pairs = (found: readonly RegExpExecArray[]) => found.map(([, name, value]) => [name, value]);
    expect(pairs(ofUnit)).toEqual(pairs(ofSidecar));
    expect(ofUnit).toHaveLength(3);
  });
});
