/** Escapes a label value (Prometheus text format 0.0.4). */
export function labelValue(value: string): string {
  return value.replace(/[\\"\n]/g, (char) => (char === '\n' ? '\\n' : `\\${char}`));
}
