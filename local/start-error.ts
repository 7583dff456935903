/** Something that the user of `npm start` can mend: a flag, a file, a port. Its message says what and how. */
export class StartError extends Error {
  override readonly name = 'StartError';
}
