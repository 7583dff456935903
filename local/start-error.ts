/** Error that the user of `npm start` can mend: a flag, file, folder or port. Its message has a remedy, no secret. */
export class StartError extends Error {
  override readonly name = 'StartError';
}
