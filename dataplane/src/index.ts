export { type DataPlaneOptions, parseOptions } from './options.ts';
export { type DataPlane, run } from './run.ts';
