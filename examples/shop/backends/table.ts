/** One row of a backend; rows of other backends are referred to by their ids. */
export type Row = { id: number; [field: string]: unknown };

/** What a backend serves: `GET path`, `GET path/{id}` and `POST path`. */
export type Table = {
  /** "/" or a path such as "/api/users". */
  path: string;
  rows: readonly Row[];
  /** Fields that a POST must bring. */
  required: readonly string[];
  /** More lists: `GET path/by-user/7` with `{ 'by-user': 'userId' }` lists the rows of user 7. */
  groups?: Readonly<Record<string, string>>;
};
