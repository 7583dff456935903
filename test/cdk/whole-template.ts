import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type App, NestedStack, type Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';

interface TemplateJson {
  readonly Resources: Readonly<Record<string, ResourceJson>>;
  readonly Parameters?: Readonly<Record<string, unknown>>;
  readonly Outputs?: Readonly<Record<string, { readonly Value: unknown }>>;
}

interface ResourceJson {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
}

/** The templates of a stack and its nested stacks by file name, as they would be deployed. */
export function templatesOf(app: App, stack: Stack): ReadonlyMap<string, TemplateJson> {
  const { directory } = app.synth();
  const stacks = [stack, ...nestedOf(stack)];
  return new Map(stacks.map(({ templateFile }) => [templateFile, readTemplate(directory, templateFile)]));
}

/** One template with all resources of a stack and its nested stacks: each parameter replaced by what the stack gives. */
export function wholeTemplateOf(app: App, stack: Stack): Template {
  const { directory } = app.synth();
  const own = readTemplate(directory, stack.templateFile);
  const nested = new Map(
    nestedOf(stack).map((each) => {
      const id: string = stack.resolve(each.nestedStackResource?.logicalId);
      const parameters = own.Resources[id]?.Properties?.['Parameters'] ?? {};
      return [id, { parameters, template: readTemplate(directory, each.templateFile) }];
    }),
  );
  const resources = [...nested.values()].flatMap(({ parameters, template }) => {
    const given = new Map(Object.entries(parameters));
    const replaced = replaceIntrinsics(template.Resources, (name, argument) =>
      name === 'Ref' && given.has(String(argument)) ? given.get(String(argument)) : undefined,
    );
    return Object.entries(replaced);
  });
  const whole = replaceIntrinsics(
    { ...own, Resources: { ...own.Resources, ...Object.fromEntries(resources) } },
    (name, argument) => {
      if (name !== 'Fn::GetAtt' || !Array.isArray(argument)) return undefined;
      const [id, attribute] = argument.map(String);
      return nested.get(id ?? '')?.template.Outputs?.[attribute?.replace('Outputs.', '') ?? '']?.Value;
    },
  );
  return Template.fromJSON(whole, { skipCyclicalDependenciesCheck: true });
}

function nestedOf(stack: Stack): readonly NestedStack[] {
  return stack.node.findAll().filter((each) => NestedStack.isNestedStack(each));
}

function readTemplate(directory: string, file: string): TemplateJson {
  return JSON.parse(readFileSync(join(directory, file), 'utf8'));
}

/** Replaces each intrinsic function for which `findValue` has a value. */
function replaceIntrinsics<T>(value: T, findValue: (name: string, argument: unknown) => unknown): T {
  const replace = (each: unknown): unknown => {
    if (Array.isArray(each)) return each.map(replace);
    if (typeof each !== 'object' || each === null) return each;
    const entries = Object.entries(each);
    const [[name, argument] = ['', undefined]] = entries;
    const found = entries.length === 1 ? findValue(name, argument) : undefined;
    return found ?? Object.fromEntries(entries.map(([key, part]) => [key, replace(part)]));
  };
  // The shape stays: only values within it are replaced.
  return replace(value) as T;
}
