/** Controls cannot stand in a field value (RFC 9110 section 5.5); a tab could, but no identity holds one. */
const controls = /[\u0000-\u001f\u007f]/;

/** A value that cannot be sent as it is: what the upstream would read is something else. */
export class UnsafeValue extends Error {}

/**
 * The value of a field line that is written as latin1: text beyond ASCII goes out as UTF-8.
 * @throws UnsafeValue for controls, and for items of a list that hold its separator.
 */
export function fieldValueOf(value: string | number | boolean | readonly string[]): string {
  if (Array.isArray(value)) {
    const bad = value.find((item) => item.includes(','));
    if (bad !== undefined) throw new UnsafeValue('an item of a list holds a comma');
    return safe(value.join(','));
  }
  return safe(String(value));
}

function safe(text: string): string {
  if (controls.test(text)) throw new UnsafeValue('it holds control characters');
  return Buffer.from(text.trim(), 'utf8').toString('latin1');
}
