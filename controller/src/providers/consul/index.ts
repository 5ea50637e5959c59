export { type ConsulTiming, watchConsul } from './watch.ts';
