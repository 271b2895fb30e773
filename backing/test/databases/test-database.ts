/** A database of its own for one test file. */
export interface TestDatabase {
  readonly url: string;
  /** Run statements as an administrator, past the store. Resolves to the rows of the last one. */
  execute(statement: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
  drop(): Promise<void>;
}
