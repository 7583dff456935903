/** Header of every error of the broker and of its API: the code. */
export const ERROR_HEADER = 'token-broker-error';

/** Header of every answer of an upstream: the connection's name. So none of the broker or its API is taken for one. */
export const UPSTREAM_HEADER = 'token-broker-upstream';
