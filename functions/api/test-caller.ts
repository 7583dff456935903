/** Names who calls, for an emulator of AWS that verifies signatures no caller comes out of. */
export const TEST_CALLER = 'TOKEN_BROKER_TEST_CALLER';

const ENDPOINT = 'AWS_ENDPOINT_URL';
const LOOPBACK_URL = /^http:\/\/127\.0\.0\.1(?::[0-9]{1,5})?\/?$/;

/**
 * The caller that `TOKEN_BROKER_TEST_CALLER` names, while every AWS endpoint of the function is on its own machine:
 * `AWS_ENDPOINT_URL` must be there, and neither it nor one of a single service may be anything but
 * `http://127.0.0.1[:PORT]`. A function on AWS that had all this could reach no table, key or secret, so there would be
 * nothing to hand out. The stack sets neither variable, and refuses an app that does.
 */
export function testCallerIn(environment: Readonly<Record<string, string | undefined>>): string | undefined {
  const caller = environment[TEST_CALLER];
  if (caller === undefined || caller === '' || environment[ENDPOINT] === undefined) return undefined;
  const endpoints = Object.entries(environment).filter(
    ([name]) => name === ENDPOINT || name.startsWith(`${ENDPOINT}_`),
  );
  return endpoints.every(([, url]) => LOOPBACK_URL.test(url ?? '')) ? caller : undefined;
}
