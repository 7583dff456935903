import { createHash } from 'node:crypto';
import { CfnParameter, CfnResource, NestedStack, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';

/** Nested stacks of a broker: with 300 isolated connections each has some 20 of them. */
const STACKS = 16;
/** Resources, and parameters, that CloudFormation takes in one template. */
const MOST_RESOURCES = 500;
const MOST_PARAMETERS = 200;

/** Gives the nested stack of an isolation group, and makes it where there is none yet. */
export type StackOf = (group: string) => NestedStack;

/**
 * Creates the nested stacks in which isolation groups have their functions; what holds state stays in the broker's own
 * stack. A group's name alone chooses its stack: a function never moves to another when connections come or go, which
 * would delete it in one stack and fail in the other, since its name is still taken.
 */
export function createGroupStacks(scope: Construct): StackOf {
  const made = new Map<number, NestedStack>();
  return (group) => {
    const [byte = 0] = createHash('sha256').update(group).digest();
    const number = (byte % STACKS) + 1;
    const known = made.get(number);
    if (known !== undefined) return known;
    const stack = new NestedStack(scope, `Groups-${number}`, {
      description: 'Functions of connections of a token broker',
    });
    made.set(number, stack);
    checkSize(stack);
    return stack;
  };
}

/** Adds an error at synth for a stack that CloudFormation would not take, with what to do about it. */
export function checkSize(stack: Stack): void {
  stack.node.addValidation({
    validate: () => {
      const own = stack.node.findAll().filter((each) => Stack.of(each) === stack);
      const resources = own.filter((each) => CfnResource.isCfnResource(each)).length;
      const parameters = own.filter((each) => each instanceof CfnParameter).length;
      if (resources <= MOST_RESOURCES && parameters <= MOST_PARAMETERS) return [];
      return [
        `The stack ${stack.node.path} would have ${resources} resources and ${parameters} parameters, and CloudFormation takes ${MOST_RESOURCES} and ${MOST_PARAMETERS}. Let connections share their functions (the same \`isolation\`), name secrets that are there already (\`secret\`), or make a second broker by another \`name\`.`,
      ];
    },
  });
}
