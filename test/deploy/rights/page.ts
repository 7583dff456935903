import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../deployment.ts';
import { describeRun } from '../recorded.ts';

const FILE = join(ROOT, 'bench/results/rights.md');
const ABOUT = `# Each right, taken away

A broker with a connection of each kind stood on the emulator of the deploy test, with IAM enforced. Each right of each role,
of a function or of the schedule, was taken away alone, the steps that need the role were run, and the right was put back. The
step is the first that missed it: it failed, or a call was refused though the caller was answered.

\`node test/deploy/rights/cli.ts\` makes this page, \`node test/deploy/rights/cli.ts token refresh\` those parts of it. The deploy
test repeats some of it, and a test compares it with the template. A broker in a VPC, or with traces, has rights beside these,
which Lambda itself uses and the emulator does not model.
`;
const HEAD = '| without | missed by | how |\n| --- | --- | --- |';
const ROW = /^\| (?!without|---)(.+?) \| (.+?) \| (.*?) ?\|$/;

/** A right that was taken away, and what missed it. */
export interface Row {
  readonly text: string;
  readonly probe: string;
  readonly how: string;
}

/** Reads what was recorded, by role. */
export function readRecorded(): ReadonlyMap<string, { readonly when: string; readonly rows: readonly Row[] }> {
  if (!existsSync(FILE)) return new Map();
  const [, ...sections] = readFileSync(FILE, 'utf8').split('\n## ');
  return new Map(
    sections.map((section) => {
      const [role = '', , when = '', ...lines] = section.split('\n');
      const rows = lines.flatMap((line) => {
        const [, text, probe, how = ''] = ROW.exec(line) ?? [];
        return text === undefined || probe === undefined ? [] : [{ text, probe, how }];
      });
      return [role, { when, rows }];
    }),
  );
}

/** Records what was seen of a role in place of what was recorded of it. `roles` are all that there are, in their order. */
export function record(role: string, rows: readonly Row[], roles: readonly string[]): void {
  const known = new Map([...readRecorded(), [role, { when: describeRun(), rows }] as const]);
  const sections = roles.flatMap((each) => {
    const found = known.get(each);
    if (found === undefined) return [];
    const lines = found.rows.map(({ text, probe, how }) => `| ${text} | ${probe} | ${how} |`);
    return [`## ${each}\n\n${found.when}\n\n${HEAD}\n${lines.join('\n')}\n`];
  });
  writeFileSync(FILE, `${ABOUT}\n${sections.join('\n')}`);
}
