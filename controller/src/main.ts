import { pino } from 'pino';
import { OptionsError, optionsOf, usage } from './options.ts';
import { type FileProblem, printProblem } from './providers/file/index.ts';
import { type Running, run } from './run.ts';

/** After this time the process ends even when something does not close, in milliseconds. */
const closeTimeout = 1500;

async function main(args: string[]): Promise<void> {
  if (args.includes('--help')) {
    process.stdout.write(usage);
    return;
  }
  const options = optionsOf(args, process.env);
  const log = pino({ level: options.logLevel }, pino.destination({ dest: 2, sync: true }));
  const running = await run(options, {
    log,
    onProblems: (problems) => process.stderr.write(problemsText(problems)),
    onSummary(summary, lines) {
      if (process.connected) tell({ type: 'status', ...summary, lines });
      else for (const line of lines) log.info(line);
    },
  });
  const { grpcPort, adminPort, ports } = running;
  tell({ type: 'listening', grpcPort, adminPort, ports });
  log.info({ grpcPort, adminPort, folder: options.configFolder }, 'Controller started');
  const stop = () => void close(running);
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  // The parent is gone: nobody is left to serve.
  process.once('disconnect', stop);
}

/** Tells the parent, when there is one. */
function tell(message: object): void {
  if (process.connected) process.send?.(message);
}

async function close(running: Running): Promise<void> {
  setTimeout(() => process.exit(0), closeTimeout).unref();
  await running.close();
  process.exit(0);
}

function problemsText(problems: FileProblem[]): string {
  if (problems.length === 0) return 'All files are well.\n';
  return problems.map((problem) => `${printProblem(problem)}\n`).join('');
}

/** One sentence that says what to do. */
function reasonOf(error: unknown): string {
  if (error instanceof OptionsError) return `${error.message}. See --help`;
  if (!(error instanceof Error)) return String(error);
  const { code, port } = error as NodeJS.ErrnoException & { port?: number };
  if (code === 'EADDRINUSE') {
    return `Cannot listen on port ${port}: it is in use. Stop its owner or choose another port`;
  }
  return error.message;
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${reasonOf(error)}\n`);
  process.exit(1);
});
