import { pino } from 'pino';
import { parseOptions } from './options.ts';
import { run } from './run.ts';

async function main() {
  const options = parseOptions(process.argv.slice(2), process.env);
  const log = pino({ name: 'dataplane', level: options.logLevel }, pino.destination(2));
  const dataPlane = await run(options, log);
  // A parent that started us with a channel (gatehouse dev) is told where we are.
  process.send?.({ type: 'listening', adminPort: dataPlane.adminPort });
  void dataPlane.ready.then((ports) =>
    process.send?.({ type: 'ready', ports, refused: dataPlane.refused() }),
  );
  // A second signal cuts the drain delay short.
  const stop = async (signal: string) => {
    log.info({ signal }, 'Stopping');
    await dataPlane.close();
    process.exit(0);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.on('disconnect', () => void stop('disconnect'));
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
