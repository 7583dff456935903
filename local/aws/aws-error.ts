/** An error that a service answers, by its AWS name; its message never holds a secret, key or payload. */
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

/** Says that the request lacks something or has it in the wrong form. */
export function invalidRequest(message: string): AwsError {
  return new AwsError(400, 'ValidationException', message);
}

/** Says that the service has no such operation here. */
export function unknownOperation(): AwsError {
  return new AwsError(400, 'UnknownOperationException', 'this local endpoint does not have that operation');
}
