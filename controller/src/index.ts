export { type CompiledFolder, checkFolder, compileFolder } from './check.ts';
export { type Options, OptionsError, optionsOf } from './options.ts';
export { type Running, run } from './run.ts';
export type { ObjectSummary, Summary } from './status/summary.ts';
