/** One line a check, and a count of them. */
export type Report = {
  heading(text: string): void;
  /**
   * Runs a check and prints how it went. It passes when it returns no mistakes.
   * @param run the mistakes, a line each; or a text to show beside the name.
   */
  check(name: string, run: () => Promise<string[] | string> | string[] | string): Promise<boolean>;
  counts(): { passed: number; failed: number };
};

export function createReport(write: (line: string) => void): Report {
  let passed = 0;
  let failed = 0;
  return {
    heading: (text) => write(`\n${text}`),
    async check(name, run) {
      let mistakes: string[] = [];
      let note = '';
      try {
        const result = await run();
        if (typeof result === 'string') note = ` (${result})`;
        else mistakes = result;
      } catch (error) {
        mistakes = [error instanceof Error ? error.message : String(error)];
      }
      if (mistakes.length === 0) passed++;
      else failed++;
      write(`${mistakes.length === 0 ? 'ok     ' : 'FAILED '} ${name}${note}`);
      for (const mistake of mistakes)
        write(`          ${mistake.replaceAll('\n', '\n          ')}`);
      return mistakes.length === 0;
    },
    counts: () => ({ passed, failed }),
  };
}
