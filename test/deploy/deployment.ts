import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stepsIn } from './documented-steps.ts';
import { type Executed, execute } from './execute.ts';
import { RUN, type StepName } from './step-names.ts';

export const ROOT = join(import.meta.dirname, '../..');

/** The steps of `docs/deploying.md`, to be run as a reader would type them. */
export interface Deployment {
  /** Runs a step in the shell, after those that set variables for it; throws with its output where it fails. */
  run(name: StepName): Promise<string>;
  /** The same, and gives what became of it whatever that is. `change` edits the commands as the document says to. */
  attempt(name: StepName, change?: (commands: string) => string): Promise<Executed>;
}

/** Variables that a shell must have set before a step: `region` always, `address` once there is an API. */
const variablesFor: Readonly<Record<StepName, readonly StepName[]>> = {
  region: [],
  bootstrap: ['region'],
  deploy: ['region'],
  'set-secrets': ['region'],
  address: ['region'],
  'first-token': ['region', 'address'],
  states: ['region', 'address'],
  rotate: ['region'],
  'rotate-checked': ['region', 'address'],
  'drop-token': ['region', 'address'],
  upgrade: ['region'],
  'second-stage': ['region'],
  'destroy-stage': ['region'],
  destroy: ['region'],
  'delete-secrets': ['region'],
};

/** Reads the document; `environment` is all that its commands get. Throws where it lacks a step. */
export function createDeployment(environment: Readonly<Record<string, string>>): Deployment {
  const document = readFileSync(join(ROOT, 'docs/deploying.md'), 'utf8');
  const commandsOf = new Map(stepsIn(document).map(({ name, commands }) => [name, commands]));
  const missing = RUN.filter((name) => !commandsOf.has(name));
  if (missing.length > 0) throw new Error(`docs/deploying.md lacks the steps ${missing.join(', ')}.`);

  function attempt(name: StepName, change: (commands: string) => string = (commands) => commands): Promise<Executed> {
    const before = variablesFor[name].map((each) => commandsOf.get(each) ?? '');
    const script = [...before, change(commandsOf.get(name) ?? '')].join('\n');
    return execute('bash', ['-euo', 'pipefail', '-c', script], { cwd: ROOT, env: environment });
  }

  return {
    attempt,
    async run(name) {
      const { code, output } = await attempt(name);
      if (code !== 0) throw new Error(`The step ${name} ended with code ${code}:\n${output.slice(-4_000)}`);
      return output;
    },
  };
}
