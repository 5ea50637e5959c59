const escaped = /[%+]/;

/** The parameters of a query that was read before. */
export type ReadQuery = { readonly query: string; readonly values: ReadonlyMap<string, string> };

/**
 * The first value of a parameter, decoded as a form is (WHATWG URL section 5): "+" is a space, a broken
 * escape is text.
 * @param cell keeps the last query that had escapes: it is read as a whole, once.
 */
export function queryValue(
  query: string,
  name: string,
  cell: { parameters?: ReadQuery },
): string | undefined {
  if (!escaped.test(query)) return plainValue(query, name);
  if (cell.parameters?.query !== query) cell.parameters = { query, values: decoded(query) };
  return cell.parameters.values.get(name);
}

function decoded(query: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const [key, value] of new URLSearchParams(query)) {
    if (!values.has(key)) values.set(key, value);
  }
  return values;
}

/** Most queries have no escapes: nothing is made but the value. */
function plainValue(query: string, name: string): string | undefined {
  // The name would run into the value, or the next parameter.
  if (name.includes('=') || name.includes('&')) return undefined;
  // URLSearchParams drops one "?" in front.
  let start = query.startsWith('?') ? 1 : 0;
  while (start < query.length) {
    const next = query.indexOf('&', start);
    const end = next === -1 ? query.length : next;
    if (end > start && query.startsWith(name, start)) {
      const rest = start + name.length;
      if (rest === end) return '';
      if (rest < end && query[rest] === '=') return query.slice(rest + 1, end).toWellFormed();
    }
    start = end + 1;
  }
  return undefined;
}
