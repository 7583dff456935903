import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const TEMPLATE = '.template.json';
const NESTED = '.nested.template.json';
const KILOBYTE = 1_000;

/** Gives the folder that CDK writes the templates of the app in a folder into. */
export function assemblyOf(folder: string): string {
  return join(folder, 'cdk.out');
}

/** Finds the program of CDK as the app in a folder has it installed; undefined where it has not. */
export function findCdk(folder: string): string | undefined {
  try {
    return createRequire(join(folder, 'package.json')).resolve('aws-cdk/bin/cdk');
  } catch {
    return undefined;
  }
}

/** Empties an assembly, where CDK would leave the templates of nested stacks that are gone, and gives the words of a synth. */
export function prepareSynth(assembly: string, words: readonly string[]): string[] {
  rmSync(assembly, { recursive: true, force: true });
  return ['synth', '--quiet', '--output', assembly, ...words];
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
