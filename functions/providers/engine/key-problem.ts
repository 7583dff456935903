/** A key or certificate of the secret that cannot be used; `problem` names the field and quotes nothing of it. */
export class KeyProblem extends Error {
  override readonly name = 'KeyProblem';
  readonly problem: string;

  constructor(problem: string) {
    super(problem);
    this.problem = problem;
  }
}
