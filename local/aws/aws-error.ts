/** Error that a service answers, by its AWS name; its message never holds a secret, key or payload. */
export class AwsError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.name = 'AwsError';
    this.status = status;
    this.code = code;
  }
}

/** Creates the error for a request with a missing or malformed member. */
export function invalidRequest(message: string): AwsError {
  return new AwsError(400, 'ValidationException', message);
}

/** Creates the error for an operation that the service does not have here. */
export function unknownOperation(): AwsError {
  return new AwsError(400, 'UnknownOperationException', 'this local endpoint does not have that operation');
}
