import { spawn } from 'node:child_process';

export type Output = { code: number; stdout: string; stderr: string };

export type ExecuteOptions = {
  cwd?: string;
  /** Added to the environment. */
  environment?: Readonly<Record<string, string>>;
  /** Written to stdin. */
  input?: string;
};

/**
 * Runs a program to its end; an exit code is an answer.
 * @throws Error when it cannot be started
 */
export function execute(
  program: string,
  args: readonly string[],
  { cwd, environment, input = '' }: ExecuteOptions = {},
): Promise<Output> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: 'pipe',
      env: { ...process.env, ...environment },
      ...(cwd !== undefined && { cwd }),
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk;
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk;
    });
    child.on('error', (error) => {
      reject(new Error(`Cannot run "${program}": ${error.message}`));
    });
    child.on('close', (code) => resolve({ code: code ?? -1, stdout, stderr }));
    // A program that does not read to the end is judged by its exit code.
    child.stdin.on('error', () => undefined).end(input);
  });
}

/**
 * Runs a program that must succeed and returns what it printed on stdout.
 * @throws Error with the last lines that it printed
 */
export async function run(
  program: string,
  args: readonly string[],
  options: ExecuteOptions = {},
): Promise<string> {
  const { code, stdout, stderr } = await execute(program, args, options);
  if (code === 0) return stdout;
  const said = (stderr.trim() || stdout.trim()).split('\n').slice(-15).join('\n');
  throw new Error(`Cannot run "${[program, ...args].join(' ')}": exit code ${code}: ${said}`);
}
