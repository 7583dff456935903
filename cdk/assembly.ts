import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');

/** The folder that CDK writes the broker's templates into. */
export const ASSEMBLY = join(ROOT, 'cdk.out');
/** The program of CDK, as it is installed in the clone. */
export const CDK = join(ROOT, 'node_modules/aws-cdk/bin/cdk');

const TEMPLATE = '.template.json';
const NESTED = '.nested.template.json';
const KILOBYTE = 1_000;

/** Empties the assembly, where CDK would leave the templates of nested stacks that are gone, and gives the words of a synth. */
export function prepareSynth(words: readonly string[]): string[] {
  rmSync(ASSEMBLY, { recursive: true, force: true });
  return ['synth', '--quiet', '--output', ASSEMBLY, ...words];
}

/** Finds the templates of nested stacks in the folder of an assembly. */
export function findNestedTemplates(directory: string): string[] {
  return filesOf(directory, NESTED);
}

/** Writes how large each template of an assembly is, a line each, beside what CloudFormation takes. */
export function describeTemplates(directory: string): string {
  const rows = filesOf(directory, TEMPLATE).map((file) => {
    const text = readFileSync(file);
    const { Resources = {} }: { readonly Resources?: object } = JSON.parse(text.toString('utf8'));
    return { name: file.slice(directory.length + 1), resources: Object.keys(Resources).length, bytes: text.length };
  });
  const width = Math.max(...rows.map(({ name }) => name.length));
  const lines = rows.map(
    ({ name, resources, bytes }) =>
      `${name.padEnd(width)}  ${String(resources).padStart(4)} resources  ${String(Math.ceil(bytes / KILOBYTE)).padStart(5)} KB`,
  );
  return [...lines, 'CloudFormation takes 500 resources and 1,000 KB in a template.'].join('\n');
}

function filesOf(directory: string, end: string): string[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith(end))
    .sort()
    .map((name) => join(directory, name));
}
