import { runSource } from '../source.ts';
import { startSource, ticksPort } from './source.ts';

await runSource(startSource, ticksPort);
