import { runSource } from '../source.ts';
import { endpointPort, impostorPort, startSource } from './source.ts';

await runSource(
  (ports) => startSource(new Map([...ports, [impostorPort, impostorPort]])),
  endpointPort,
);
