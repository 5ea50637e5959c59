import { serveUntilInterrupted } from '../listen.ts';
import { echoBackends } from './echo.ts';

/** `npm run example:echo`: what the small examples talk to, until Ctrl-C. */
await serveUntilInterrupted(echoBackends());
