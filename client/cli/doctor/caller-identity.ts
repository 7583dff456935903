import { limitedText } from '../../answer.ts';
import { systemClock } from '../../clock.ts';
import { TokenBrokerError } from '../../error.ts';
import { createSigner } from '../../signing.ts';
import { withTransportErrors } from '../../transport.ts';

/** The ARN in an answer of STS, be it JSON or XML. */
const ARN = /\barn:[a-z-]+:(?:iam|sts)::[0-9]+:[\w+=,.@/-]+/;

/** Gets the caller's ARN from AWS. Rejects with a `TokenBrokerError` if there is no identity. */
export async function callerIdentity({
  region,
  timeoutMs,
  environment,
}: {
  readonly region: string;
  readonly timeoutMs: number;
  readonly environment: Readonly<Record<string, string | undefined>>;
}): Promise<string> {
  const suffix = region.startsWith('cn-') ? '.cn' : '';
  const url = new URL(
    environment['AWS_ENDPOINT_URL_STS'] ??
      environment['AWS_ENDPOINT_URL'] ??
      `https://sts.${region}.amazonaws.com${suffix}/`,
  );
  const sign = createSigner({ endpoint: { region, isLoopback: false }, clock: systemClock, service: 'sts' });
  const body = 'Action=GetCallerIdentity&Version=2011-06-15';
  const headers = await sign({
    method: 'POST',
    url,
    headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
    body,
  });
  return withTransportErrors({ timeoutMs, what: 'AWS STS' }, async (signal) => {
    const response = await fetch(url, { method: 'POST', headers, body, signal, redirect: 'error' });
    const text = await limitedText(response);
    const [arn] = (response.ok ? ARN.exec(text) : null) ?? [];
    if (arn !== undefined) return arn;
    throw new TokenBrokerError('credentials', `AWS does not know these credentials (STS answered ${response.status}).`);
  });
}
