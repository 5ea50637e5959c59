import type { GatewayListener } from '@gatehouse/crds';
import type { Report } from './status.ts';

type Fields = NonNullable<NonNullable<GatewayListener['allowedRoutes']>['namespaces']>['selector'];

export type Labels = Readonly<Record<string, string>>;

/** Conditions on labels that must all hold, as plain data; none: everything is selected. */
export type Selector = readonly {
  key: string;
  operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  values: readonly string[];
}[];

/** Reads a metav1.LabelSelector; undefined when it is none that could be followed. */
export function checkSelector(fields: Fields, path: string, report: Report): Selector | undefined {
  if (fields === undefined) {
    report(path, 'is needed with from "Selector", without it no namespace is selected');
    return undefined;
  }
  const equal = Object.entries(fields.matchLabels ?? {}).map(([key, value]) => ({
    key,
    operator: 'In' as const,
    values: [value],
  }));
  let sound = true;
  const terms = (fields.matchExpressions ?? []).map(({ key, operator, values = [] }, i) => {
    const no = (at: string, reason: string) => {
      report(`${path}.matchExpressions[${i}].${at}`, `${reason}, so no namespace is selected`);
      sound = false;
    };
    if (!isOperator(operator)) {
      no('operator', `"${operator}" must be In, NotIn, Exists or DoesNotExist`);
      return { key, operator: 'In' as const, values };
    }
    const listed = operator === 'In' || operator === 'NotIn';
    if (listed && values.length === 0) no('values', `are needed for ${operator}`);
    if (!listed && values.length > 0) no('values', `must be left out for ${operator}`);
    return { key, operator, values };
  });
  return sound ? [...equal, ...terms] : undefined;
}

function isOperator(text: string): text is Selector[number]['operator'] {
  return text === 'In' || text === 'NotIn' || text === 'Exists' || text === 'DoesNotExist';
}

/** As Kubernetes selects: NotIn holds without the label, too. */
export function selects(selector: Selector, labels: Labels): boolean {
  return selector.every(({ key, operator, values }) => {
    const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
    if (operator === 'Exists') return value !== undefined;
    if (operator === 'DoesNotExist') return value === undefined;
    const listed = value !== undefined && values.includes(value);
    return operator === 'In' ? listed : !listed;
  });
}
