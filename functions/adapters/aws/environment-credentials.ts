/**
 * Stands in a bundle for the SDK's chain of credential providers: Lambda puts a function's keys into its environment,
 * so the chain, with clients of STS, SSO and instance metadata, would be weight alone. Throws where there are none.
 */
export function defaultProvider() {
  return async () => {
    const {
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_SESSION_TOKEN: sessionToken,
    } = process.env;
    if (!accessKeyId || !secretAccessKey) throw new Error('There are no AWS credentials in the environment.');
    return { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) };
  };
}
