import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../main.ts', import.meta.url));

/** The command `gatehouse` as a process of its own, seen from outside. */
export type Gatehouse = {
  pid: number;
  /** Everything that was written so far. */
  stdout(): string;
  stderr(): string;
  /**
   * The first line of standard error, from `from` (a length of `stderr()`) on, that fits.
   * Rejects after `timeout` milliseconds (15,000 by default) or when the process ends without it.
   */
  line(pattern: RegExp, options?: { from?: number; timeout?: number }): Promise<string>;
  /** Where it serves; rejects with what it wrote when it ends before it is ready. */
  ready(): Promise<{ http: number; admin: number }>;
  /** Gets what is written to standard error from now on. */
  follow(listener: (text: string) => void): void;
  kill(signal: NodeJS.Signals): void;
  /** Exit code; that of a signal is `null`. */
  exited: Promise<number | null>;
  /** Ends it, by force after 15 s. */
  [Symbol.asyncDispose](): Promise<void>;
};

const readyLine = /^ready http=127\.0\.0\.1:(\d+) admin=127\.0\.0\.1:(\d+)$/m;

/** Starts `gatehouse ...args`. */
export function startGatehouse(
  args: string[],
  environment: Record<string, string> = {},
): Gatehouse {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', program, ...args],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    },
  );
  const output = { stdout: '', stderr: '' };
  const waiting = new Set<() => void>();
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      output[stream] += text;
      for (const look of waiting) look();
    });
  }
  let ended = false;
  // Whatever becomes of us, it does not run on.
  const endWithUs = () => void child.kill('SIGTERM');
  process.once('exit', endWithUs);
  const exited = new Promise<number | null>((resolve) => {
    // 'close', not 'exit': then all output is here.
    child.once('close', (code) => {
      ended = true;
      process.off('exit', endWithUs);
      resolve(code);
      for (const look of waiting) look();
    });
  });

  function until<T>(find: () => T | undefined, what: string, timeout: number): Promise<T> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = find();
        if (found === undefined && !ended) return;
        stop();
        if (found !== undefined) resolve(found);
        else reject(failure(`it ended before ${what}`));
      };
      const timer = setTimeout(() => {
        stop();
        reject(failure(`no ${what} within ${timeout} ms`));
      }, timeout);
      const stop = () => {
        clearTimeout(timer);
        waiting.delete(look);
      };
      waiting.add(look);
      look();
    });
  }

  const failure = (reason: string) =>
    new Error(`gatehouse ${args.join(' ')}: ${reason}\n${output.stdout}${output.stderr}`);

  return {
    pid: pidOf(child),
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    line: (pattern, { from = 0, timeout = 15_000 } = {}) =>
      until(
        () =>
          output.stderr
            .slice(from)
            .split('\n')
            .slice(0, -1)
            .find((line) => pattern.test(line)),
        `a line ${pattern}`,
        timeout,
      ),
    async ready() {
      const [, http, admin] = await until(
        () => readyLine.exec(output.stdout) ?? undefined,
        'the line "ready ..."',
        20_000,
      );
      return { http: Number(http), admin: Number(admin) };
    },
    follow: (listener) => void child.stderr.on('data', listener),
    kill: (signal) => void child.kill(signal),
    exited,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      const force = setTimeout(() => child.kill('SIGKILL'), 15_000);
      await exited;
      clearTimeout(force);
    },
  };
}

function pidOf({ pid }: ChildProcess): number {
  if (pid === undefined) throw new Error('Cannot start gatehouse: no process');
  return pid;
}
