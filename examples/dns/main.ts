import { runSource } from '../source.ts';
import { nameServerPort, startSource } from './source.ts';

await runSource(startSource, nameServerPort);
