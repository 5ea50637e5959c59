import type { Type } from './type.ts';
import type { Value } from './value.ts';

export type MacroName = 'all' | 'exists' | 'exists_one' | 'map' | 'filter';

/** An expression as it was written, macros included. `at` is an offset in the text. */
export type Node = {
  readonly at: number;
  /** How many nodes it consists of. */
  readonly size: number;
} & (
  | { readonly kind: 'literal'; readonly type: Type; readonly value: Value }
  | { readonly kind: 'name'; readonly name: string }
  | {
      readonly kind: 'select';
      readonly operand: Node;
      readonly field: string;
      /** has(operand.field) */
      readonly test: boolean;
    }
  | {
      readonly kind: 'call';
      /** `_+_` and the like for operators. */
      readonly name: string;
      readonly target: Node | undefined;
      readonly args: readonly Node[];
    }
  | { readonly kind: 'list'; readonly items: readonly Node[] }
  | { readonly kind: 'map'; readonly entries: readonly (readonly [key: Node, value: Node])[] }
  | {
      readonly kind: 'macro';
      readonly macro: MacroName;
      readonly range: Node;
      readonly variable: string;
      readonly test: Node | undefined;
      /** What map makes of each item. */
      readonly step: Node | undefined;
    }
);

/** Any of the kinds, before it is placed and counted. */
export type Shape = Node extends infer N
  ? N extends Node
    ? Omit<N, 'at' | 'size'>
    : never
  : never;
