export { type Compiled, compile, createCompiler } from './compile.ts';
export type { Resources } from './resources.ts';
export type {
  AncestorStatus,
  Condition,
  ListenerStatus,
  ObjectStatus,
  ParentStatus,
} from './status.ts';
