/** A statement of an IAM policy, its intrinsics resolved. */
export interface Statement {
  readonly Effect: 'Allow' | 'Deny';
  readonly Principal?: unknown;
  readonly Action?: string | readonly string[];
  readonly NotAction?: string | readonly string[];
  readonly Resource?: string | readonly string[];
  readonly NotResource?: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

/** The keys of a request that conditions look at; a list is a key of several values. */
export type RequestContext = Readonly<Record<string, string | readonly string[]>>;

/** A request to AWS, as IAM sees it. */
export interface PolicyRequest {
  readonly action: string;
  readonly resource: string;
  readonly context: RequestContext;
}

export type Verdict = 'allowed' | 'denied' | 'unmentioned';

/** Evaluates the statements for a request. An explicit deny wins over every allow. */
export function judge(statements: readonly Statement[], request: PolicyRequest): Verdict {
  const applying = statements.filter((statement) => applies(statement, request));
  if (applying.some(({ Effect }) => Effect === 'Deny')) return 'denied';
  return applying.length > 0 ? 'allowed' : 'unmentioned';
}

function applies(statement: Statement, { action, resource, context }: PolicyRequest): boolean {
  return (
    matches(statement.Action, statement.NotAction, action.toLowerCase(), (pattern) => pattern.toLowerCase()) &&
    matches(statement.Resource, statement.NotResource, resource, (pattern) => pattern) &&
    holds(statement.Condition ?? {}, context)
  );
}

function matches(
  wanted: Statement['Action'],
  unwanted: Statement['Action'],
  value: string,
  normalize: (pattern: string) => string,
): boolean {
  const isAnyOf = (patterns: string | readonly string[]) => list(patterns).some((each) => like(normalize(each), value));
  if (unwanted !== undefined) return !isAnyOf(unwanted);
  // A trust policy has no resource.
  return wanted === undefined || isAnyOf(wanted);
}

function holds(conditions: NonNullable<Statement['Condition']>, context: RequestContext): boolean {
  return Object.entries(conditions).every(([operator, keys]) =>
    Object.entries(keys).every(([key, wanted]) => holdsFor(operator, list(wanted), context[key])),
  );
}

function holdsFor(operator: string, wanted: readonly string[], given: string | readonly string[] | undefined): boolean {
  const values = given === undefined ? [] : list(given);
  const isOneOf = (value: string) => wanted.includes(value);
  const isLikeOne = (value: string) => wanted.some((pattern) => like(pattern, value));
  switch (operator) {
    case 'StringEquals':
      return values.some(isOneOf);
    case 'StringLike':
    case 'ArnLike':
    case 'ArnEquals':
      return values.some(isLikeOne);
    // A negated operator also holds where the key is missing.
    case 'StringNotEquals':
      return !values.some(isOneOf);
    case 'ArnNotEquals':
    case 'ArnNotLike':
      return !values.some(isLikeOne);
    // Also holds where the key is missing, which is its trap.
    case 'ForAllValues:StringEquals':
      return values.every(isOneOf);
    case 'ForAnyValue:StringEquals':
      return values.some(isOneOf);
    case 'Null':
      return wanted.includes(String(values.length === 0));
    case 'Bool':
      return values.some(isOneOf);
    default:
      throw new Error(`The simulator does not know the condition operator ${operator}.`);
  }
}

/** IAM's `*` and `?`, which reach across every character, `/` and `:` too. */
function like(pattern: string, value: string): boolean {
  const expression = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${expression}$`, 's').test(value);
}

function list<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? value : [value as T];
}
