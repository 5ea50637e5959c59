import { runSource } from '../source.ts';
import { consulPort, startSource } from './source.ts';

await runSource(startSource, consulPort);
