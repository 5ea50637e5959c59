import { runSource } from '../source.ts';
import { greeterPorts, startSource } from './source.ts';

const [first, ...others] = greeterPorts;
await runSource(
  (ports) => startSource(new Map([...ports, ...others.map((port) => [port, port] as const)])),
  first,
);
