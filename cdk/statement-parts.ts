import { Token } from 'aws-cdk-lib';

/** Characters of the values of one statement: CDK spreads statements over a role's policies, and never splits one. */
const STATEMENT_CHARACTERS = 1_400;
/** Characters of an ARN that is not known at synth, as CDK counts them. */
const UNKNOWN_CHARACTERS = 150;

/** Splits the values of a policy, such as ARNs, into parts that each make one statement. */
export function* inParts(values: readonly string[]): Generator<string[]> {
  let part: string[] = [];
  for (const value of values) {
    if (part.length > 0 && lengthOf([...part, value]) > STATEMENT_CHARACTERS) {
      yield part;
      part = [];
    }
    part.push(value);
  }
  yield part;
}

/** Counts the characters of values in a policy. */
export function lengthOf(values: readonly string[]): number {
  return values.reduce(
    (length, value) => length + (Token.isUnresolved(value) ? UNKNOWN_CHARACTERS : value.length) + 3,
    0,
  );
}
