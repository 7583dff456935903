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

  describe('exec', () => {
    it('gives the command a token beside its environment, and passes stdin, stdout and stderr', async () => {
      const { code, stdout, stderr } = await shell(
        `echo in | OWN=own $TB exec wfm -- sh -c 'read word; printf "%s " "$word" "$OWN" "$ACCESS_TOKEN"; echo err >&2'`,
      );
      expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: `in own ${await token()} `, stderr: 'err\n' });
    });

    it('names the variable, and leaves what follows `--` as it is', async () => {
      const { stdout } = await shell(
        `$TB exec wfm --env WFM -- sh -c 'printf "%s|" "$@" "\${#WFM}"' sh --help -- -e x`,
      );
      expect(stdout).toBe(`--help|--|-e|x|${(await token()).length}|`);
    });

    it('gives the exit code of the command, of a shell for one that cannot run, and 128 + N for a signal', async () => {
      expect((await shell('$TB exec wfm -- sh -c "exit 42"')).code).toBe(42);
      expect((await shell("$TB exec wfm -- sh -c 'kill -KILL $$'")).code).toBe(128 + 9);
      expect(await shell('$TB exec wfm -- no-such-command')).toMatchObject({
        code: 127,
        stderr: 'token-broker: There is no command no-such-command.\n',
      });
      expect((await shell('$TB exec wfm -- /etc/passwd')).code).toBe(126);
    });

    it('passes signals on', async () => {
      const { code, stdout } = await shell(
        `out=$(mktemp); $TB exec wfm -- sh -c 'trap "echo got TERM; exit 7" TERM; echo ready; while :; do sleep 0.05; done' > "$out" & pid=$!
        until grep -q ready "$out"; do sleep 0.05; done; kill -TERM $pid; wait $pid; code=$?; cat "$out"; rm "$out"; exit $code`,
      );
      expect({ code, stdout }).toEqual({ code: 7, stdout: 'ready\ngot TERM\n' });
    });

    // A terminal sends Ctrl-C to the command itself: passed on, it would come twice.
    it.runIf(process.platform === 'linux').each([
      ['passes Ctrl-C on where there is no terminal', 'sh -c "$RUN" < /dev/null', 'got INT\nended\n'],
      ['passes no Ctrl-C on at a terminal', 'script -qec "$RUN" /dev/null', 'ended\n'],
    ])('%s', async (_name, run, said) => {
      const { code, stdout } = await shell(
        `export TB OUT=$(mktemp) SCRIPT='trap "echo got INT" INT; kill -INT $PPID; sleep 0.5; echo ended'
        export RUN='$TB exec wfm -- sh -c "$SCRIPT" > "$OUT"'
        ${run} > /dev/null; code=$?; cat "$OUT"; rm "$OUT"; exit $code`,
      );
      expect({ code, stdout }).toEqual({ code: 0, stdout: said });
    });

    it('runs nothing where there is no token', async () => {
      expect(await shell('$TB exec nobody -- echo ran')).toMatchObject({ code: 3, stdout: '' });
    });
  });

  it('serves as an agent until it is told to stop, and takes its token file along', async () => {
    const { code, stdout, stderr } = await shell(
      `dir=$(mktemp -d); $TB agent -c wfm --socket "$dir/s" > "$dir/out" 2> "$dir/err" & pid=$!
      until grep -qs 'token is in' "$dir/err"; do sleep 0.05; done
      stat -c %a "$dir/s" "$dir/s.token"; cat "$dir/out" "$dir/err"
      curl -sS --unix-socket "$dir/s" -H "X-Token-Broker-Agent-Token: $(cat "$dir/s.token")" http://localhost/tokens/wfm/system
      kill -TERM $pid; wait $pid; code=$?; echo; ls "$dir"; rm -r "$dir"; exit $code`,
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = stdout.split('\n');
    expect(lines.slice(0, 2)).toEqual(['600', '600']);
    expect(lines[2]).toMatch(/\/s$/);
    expect(lines[3]).toBe(`serves wfm/system of ${broker.url}, until Ctrl-C`);
    expect(JSON.parse(lines[5] ?? '')).toMatchObject({ connection: 'wfm', source: 'cache' });
    expect(lines.slice(6)).toEqual(['err', 'out', '']);
  });

  it('opens quickly: nothing of the AWS SDK is loaded for loopback', async () => {
    const { stderr } = await shell('NODE_DEBUG=esm $TB connections');
    expect(stderr).toMatch(/Storing file:\S*@smithy\//);
    expect(stderr).not.toMatch(/Storing file:\S*@aws-sdk\//);
  });
});
