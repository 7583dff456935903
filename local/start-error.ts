/** Error that the user of `npm start` can mend: a flag, a file, a port. The message has the remedy. */
export class StartError extends Error {
  override readonly name = 'StartError';
}
