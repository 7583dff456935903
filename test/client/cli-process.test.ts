import { spawn } from 'node:child_process';
import { afterAll, describe, expect, it } from 'vitest';
import { createTokenBrokerClient } from '../../client/index.ts';
import { startLocalBroker } from './local-broker.ts';

const broker = await startLocalBroker();
afterAll(() => broker.close());

/** Runs the program as a process of its own; `command` is a shell's, with `$TB` for the program. */
function shell(command: string): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const TB = `${process.execPath} local/token-broker.ts`;
  const child = spawn('sh', ['-c', command], { env: { ...process.env, TB, TOKEN_BROKER_URL: broker.url } });
  const printed = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      printed[name] += text;
    });
  }
  child.stdin.end();
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, ...printed })));
}

const token = async () => (await createTokenBrokerClient({ url: broker.url }).token('wfm')).token;

describe('the program', () => {
  it('prints a token that a shell can take', async () => {
    const { code, stdout, stderr } = await shell('TOKEN=$($TB token wfm) && printf %s "$TOKEN"');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe(await token());
  });

  it('gives eval the variable', async () => {
    const { stdout } = await shell('eval "$($TB token wfm --env WFM)"; printf %s "$WFM"');
    expect(stdout).toBe(await token());
  });

  it('reads a token from a pipe', async () => {
    const { code, stdout } = await shell('$TB token wfm | $TB reject wfm');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^[0-9a-f]{12} {2}generation \d+\n$/);
  });

  it('is content with a reader that has seen enough', async () => {
    const { stdout, stderr } = await shell('$TB --help | head -1');
    expect(stdout.trim()).not.toBe('');
    expect(stderr).toBe('');
  });

  it('gives its exit code', async () => {
    expect(await shell('$TB token nobody')).toMatchObject({ code: 3, stdout: '' });
  });

  it('stops watching when it is told to, with exit code 0', async () => {
    const { code, stdout } = await shell(
      'out=$(mktemp); $TB status --watch --json --every 0.05 > "$out" & pid=$!; ' +
        'while [ "$(wc -l < "$out")" -lt 2 ] && kill -0 $pid; do sleep 0.05; done; ' +
        'kill -TERM $pid; wait $pid; code=$?; cat "$out"; rm "$out"; exit $code',
    );
    expect(code).toBe(0);
    expect(stdout.split('\n').length).toBeGreaterThan(2);
  });

  it('opens quickly: nothing of the AWS SDK is loaded for loopback', async () => {
    const { stderr } = await shell('NODE_DEBUG=esm $TB connections');
    expect(stderr).toMatch(/Storing file:\S*@smithy\//);
    expect(stderr).not.toMatch(/Storing file:\S*@aws-sdk\//);
  });
});
