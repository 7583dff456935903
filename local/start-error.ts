/** Error that the user of `npm start` can mend: a flag, a file, a folder, a port. The message has the remedy, and no secret. */
export class StartError extends Error {
  override readonly name = 'StartError';
}
