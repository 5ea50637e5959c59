import { styleText } from 'node:util';
import { actionLines } from './action-text.ts';
import type { Explanation, NearRule } from './explanation.ts';
import { policyLines } from './policy-text.ts';
import { matchText } from './rules.ts';
import { section, table } from './table.ts';

/** The explanation for people. Headings are bold on a terminal. */
export function textOf(explanation: Explanation): string {
  const { route, nearest, policies, notes } = explanation;
  const sections = [
    section('Request', requestLines(explanation)),
    section('Listener', [listenerText(explanation)]),
    section('Route', routeLines(explanation)),
    ...(nearest.length > 0 ? [section('Nearest', nearestLines(nearest))] : []),
    ...policies.map((policy) => section(policy.kind, policyLines(policy))),
    ...(route && policies.length === 0 ? [section('Policies', ['none'])] : []),
    section('Action', actionLines(explanation.action)),
    section('Answer', [answerText(explanation)]),
    ...(notes.length > 0 ? [section('Note', notes)] : []),
  ];
  const bold = (heading: string) => styleText('bold', heading, { stream: process.stdout });
  return sections
    .map(({ heading, lines }) => lines.map((line, i) => (i === 0 ? bold(heading) : '') + line))
    .map((lines) => `${lines.join('\n')}\n`)
    .join('');
}

function requestLines({ request, source }: Explanation): string[] {
  const { method, url, path, query, clientAddress, droppedHeaders } = request;
  const lines = [`${method} ${url}`, `path ${path}${query === '' ? '' : `, query ${query}`}`];
  lines.push(`client ${clientAddress}`);
  if (droppedHeaders.length > 0) {
    lines.push(`dropped, since only the gateway may send them: ${droppedHeaders.join(', ')}`);
  }
  lines.push(
    'folder' in source
      ? `by the folder ${source.folder}`
      : `by ${source.dataPlane}, version ${source.version}`,
  );
  return lines;
}

function listenerText({ listener, answer }: Explanation): string {
  if (!listener) return answer.status === 404 ? 'none for this host' : 'not reached';
  const { name, gateway, port, protocol, hostname } = listener;
  return `${name} of Gateway ${gateway}: port ${port}, ${protocol}, ${hostname || 'any host'}`;
}

function routeLines({ route }: Explanation): string[] {
  if (!route) return ['none'];
  const { variables, before } = route;
  const others = before.map((other, index) => {
    const ahead = index === 0 ? '' : ', which comes next';
    return `before ${other.route}, rule ${other.rule} (${matchText(other.match)})${ahead}: ${other.because}`;
  });
  return [
    `${route.route}, rule ${route.rule}`,
    `${matchText(route.match)}, ${route.hostname === '' ? 'any host' : `host ${route.hostname}`}`,
    ...Object.entries(variables).map(([name, value]) => `{${name}} = ${value}`),
    ...others,
  ];
}

function nearestLines(nearest: readonly NearRule[]): string[] {
  return table(
    nearest.map(({ route, rule, match, differs }) => [
      `${route}, rule ${rule}`,
      matchText(match),
      differs.join('; '),
    ]),
  );
}

function answerText({ answer }: Explanation): string {
  const { status, error, by, unless } = answer;
  const what = status === null ? 'that of the backend' : [status, error].filter(Boolean).join(' ');
  const from = by === 'route' ? ' from the Route' : '';
  const verb = unless.length === 1 ? 'lets' : 'let';
  const before =
    unless.length === 0 ? '' : `, if ${unless.join(' and ')} ${verb} the request through`;
  return `${what}${from}${before}`;
}
