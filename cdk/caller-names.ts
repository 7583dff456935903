const SESSION = /^arn:([a-z-]+):sts::([0-9]{12}):assumed-role\/([^/]+)\/[^/]+$/;

/**
 * Gives the names under which a policy knows an identity of STS. A session is known by its role's ARN, whose path STS does
 * not say: with none, or with any.
 */
export function callerNamesOf(arn: string): readonly string[] {
  const [, partition, account, role] = SESSION.exec(arn) ?? [];
  if (role === undefined) return [arn];
  return [`arn:${partition}:iam::${account}:role/${role}`, `arn:${partition}:iam::${account}:role/*/${role}`];
}
