/** A mistake in a folder of objects, where it is and what to do about it. */
export type FileProblem = {
  /** Relative to the folder, "." for the folder itself. */
  file: string;
  /** From 1; 0 when the mistake concerns the file as a whole. */
  line: number;
  /** From 1; 0 like line. */
  col: number;
  /** Field inside the object such as `spec.rules[0].name`; may be empty. */
  path: string;
  message: string;
};

/** A problem of a file as a whole. */
export function wholeFile(file: string, message: string): FileProblem {
  return { file, line: 0, col: 0, path: '', message };
}

/** `routes.yaml:12:9: spec.rules[0].backends[0].port: expected ...` */
export function printProblem({ file, line, col, path, message }: FileProblem): string {
  const place = line > 0 ? `${file}:${line}:${col}` : file;
  return path === '' ? `${place}: ${message}` : `${place}: ${path}: ${message}`;
}

/** The reason in an error of the file system, without the path that the message of Node repeats. */
export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split(', ')[0] ?? message;
}
