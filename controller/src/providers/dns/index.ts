export { type DnsTiming, watchDns } from './watch.ts';
