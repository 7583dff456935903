import { TokenBrokerError } from '../error.ts';

/** An error of an AWS service that has a remedy: its status, the code to give it, and what to do. */
export interface KnownError {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
}

/**
 * Waits for a call of an AWS SDK. Converts an error into a `TokenBrokerError` that quotes nothing of AWS's: `gateway`
 * with the remedy in `known`, which is looked up by the error's name; `credentials` where there are none; `network`
 * where AWS did not answer; else `gateway`.
 */
export async function withAwsErrors<T>(
  { service, code, known }: { readonly service: string; readonly code: string; readonly known: Known },
  work: Promise<T>,
): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const name = error instanceof Error ? error.name : '';
    const found = Object.hasOwn(known, name) ? known[name] : undefined;
    if (found !== undefined) throw new TokenBrokerError('gateway', found.detail, found);
    if (name === 'CredentialsProviderError') throw new TokenBrokerError('credentials', NO_CREDENTIALS);
    const status = statusOf(error);
    if (status === undefined) throw new TokenBrokerError('network', `${service} did not answer.`);
    throw new TokenBrokerError('gateway', `${service} answered ${status} (${name}).`, { code, status });
  }
}

type Known = Readonly<Record<string, KnownError>>;

const NO_CREDENTIALS = 'There are no AWS credentials. Log in (`aws sso login`), or set AWS_PROFILE.';

function statusOf(error: unknown): number | undefined {
  const metadata: unknown = error instanceof Error ? Reflect.get(error, '$metadata') : undefined;
  if (typeof metadata !== 'object' || metadata === null) return undefined;
  const status: unknown = Reflect.get(metadata, 'httpStatusCode');
  return typeof status === 'number' ? status : undefined;
}
