import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readChunks } from './chunks.ts';
import { printProblem } from './problem.ts';

const route = (name: string, port: unknown = 80) => `apiVersion: gatehouse.dev/v1alpha1
kind: Route
metadata:
  name: ${name}
spec:
  rules:
    - name: all
      backends:
        - name: users
          port: ${port}
`;

const documents = (text: string) => readChunks('a.yaml', text).documents;
const keys = (text: string) => documents(text).map(({ key, object }) => (object ? key : undefined));
const lines = (text: string) =>
  documents(text).flatMap(({ problems }) => problems.map(printProblem));

const laughs = `a: &a [${'x,'.repeat(9)}x]\n${['b', 'c', 'd', 'e', 'f', 'g', 'h', 'i']
  .map((name, i) => `${name}: &${name} [${Array(10).fill(`*${'abcdefgh'[i]}`).join(', ')}]`)
  .join('\n')}`;

describe('mistakes in a text', () => {
  it.each<[string, string, string[]]>([
    [
      'a wrong value',
      route('a', 'http'),
      [
        'a.yaml:10:11: spec.rules[0].backends[0].port: expected an integer from 1 to 65535, found "http"',
      ],
    ],
    [
      'one in the second document',
      `${route('a')}---\n# the second\n${route('b', 0)}`,
      [
        'a.yaml:22:11: spec.rules[0].backends[0].port: expected an integer from 1 to 65535, found 0',
      ],
    ],
    [
      'an unknown field, at its key',
      route('a').replace('      backends', '      bakcends'),
      ['a.yaml:8:7: spec.rules[0].bakcends: unknown field; did you mean "backends"?'],
    ],
    [
      'a missing field, at the object that should have it',
      route('a').replace('    - name: all\n      backends', '    - backends'),
      [
        'a.yaml:7:7: spec.rules[0].name: expected lower-case letters, digits and inner "-", 1 to 63 characters, found nothing',
      ],
    ],
    [
      'JSON',
      '{"kind": "Route",\n "apiVersion": "gatehouse.dev/v1alpha1",\n "metadata": {"name": "A"}, "spec": {"rules": [{"name": "a", "respond": {"status": 200}}]}}',
      [
        'a.yaml:3:15: metadata.name: expected lower-case letters, digits and inner "-" and ".", 1 to 253 characters, found "A"',
      ],
    ],
    [
      'a mistake behind an alias, where the value is written',
      route('a').replace('users', '&users [1]').replace('port: 80', 'namespace: *users'),
      [
        'a.yaml:9:11: spec.rules[0].backends[0].name: expected a string of 1 to 253 characters, found a list of 1',
        'a.yaml:10:11: spec.rules[0].backends[0].namespace: expected lower-case letters, digits and inner "-", 1 to 63 characters, found a list of 1',
      ],
    ],
    [
      'in a List',
      `apiVersion: v1\nkind: List\nitems:\n  - ${route('a', 0).trim().replaceAll('\n', '\n    ')}`,
      [
        'a.yaml:13:15: items[0].spec.rules[0].backends[0].port: expected an integer from 1 to 65535, found 0',
      ],
    ],
    [
      'a key given twice',
      `${route('a')}          port: 81\n`,
      ['a.yaml:11:11: spec.rules[0].backends[0].port: the key is given twice; remove one'],
    ],
    [
      'a tab',
      'kind: Route\nspec:\n\trules: []\n',
      ['a.yaml:3:1: Tabs are not allowed as indentation'],
    ],
    ['a tag', 'kind: !vault Route\n', ['a.yaml:1:7: Unresolved tag: !vault']],
    [
      'an alias of nothing',
      'kind: *nothing\n',
      ['a.yaml:1:7: the alias *nothing refers to no anchor before it'],
    ],
    [
      'a value that holds itself',
      'kind: &k\n  a: *k\n',
      ['a.yaml:2:6: the alias *k refers to a value that contains it'],
    ],
    [
      'a billion laughs',
      laughs,
      ['a.yaml:1:1: an alias is expanded more than 100 times; write the values out'],
    ],
    [
      'very many aliases',
      `a: &a x\nb: [${'*a, '.repeat(501)}]`,
      ['a.yaml:2:2005: more than 500 aliases; write the values out'],
    ],
    ['nesting without end', '['.repeat(50_000), ['a.yaml:1:1: the document is nested too deeply']],
    [
      'a key that is a list',
      '[a, b]: c\n',
      ['a.yaml:1:1: expected a plain text as key, found a list, a map or an alias'],
    ],
    ['no object', 'hello\n', ['a.yaml:1:1: expected an object, found "hello"']],
  ])('%s', (_, text, expected) => {
    // How deep is too deep depends on the stack that is left.
    const found = lines(text).map((line) =>
      line.replace(/1:\d+(: the document is nested)/, '1:1$1'),
    );
    expect(found).toEqual(expected);
  });

  it('in one document leave the others alone', () => {
    const text = `${route('a')}---\nkind: {\n---\n${route('b', 0)}---\n${route('c')}`;
    expect(keys(text)).toEqual(['Route/default/a', undefined, undefined, 'Route/default/c']);
  });
});

describe('a text that is read again', () => {
  it('gives the same objects where it is the same, at their new lines', () => {
    const before = readChunks('a.yaml', `${route('a')}---\n${route('b')}---\n${route('c', 0)}`);
    const after = readChunks(
      'a.yaml',
      `# new\n${route('a')}---\n${route('b')}---\n${route('c', 0)}`,
      before.chunks,
    );
    expect(after.documents[0]?.object).not.toBe(before.documents[0]?.object);
    expect(after.documents[1]?.object).toBe(before.documents[1]?.object);
    expect(after.documents.map(({ line }) => line)).toEqual([2, 13, 24]);
    expect(after.documents[2]?.problems[0]?.line).toBe(33);
  });

  it('is not cut between a directive and its document', () => {
    expect(keys(`%YAML 1.2\n---\n${route('a')}...\n%YAML 1.2\n---\n${route('b')}`)).toEqual([
      'Route/default/a',
      'Route/default/b',
    ]);
  });

  it.each([
    ['a quote that stays open', 'kind: "Route\n'],
    ['a bracket that stays open', 'kind: [\n'],
  ])('loses one document to %s', (_, broken) => {
    expect(keys(`${broken}---\n${route('a')}`)).toEqual([undefined, 'Route/default/a']);
  });
});

describe('what is for Gatehouse', () => {
  const object = (apiVersion: string, kind: string) =>
    `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: { name: a }\n`;
  const only =
    'only Route, Upstream, AuthPolicy, RateLimitPolicy, Consumer, Gateway, Service, EndpointSlice, Secret, Namespace, ReferenceGrant';

  it.each([
    ['apps/v1', 'Deployment'],
    ['v1', 'ConfigMap'],
    ['v1', 'ServiceAccount'],
    ['rbac.authorization.k8s.io/v1', 'ClusterRole'],
    ['apiextensions.k8s.io/v1', 'CustomResourceDefinition'],
    ['gateway.networking.k8s.io/v1', 'GatewayClass'],
  ])('skips %s %s', (apiVersion, kind) => {
    expect(documents(object(apiVersion, kind))).toEqual([]);
  });

  it.each([
    ['gatehouse.dev/v1alpha1', 'Rote', '; did you mean "Route"?'],
    ['gatehouse.dev/v1alpha1', 'TeaPolicy', `, ${only}`],
    ['gateway.networking.k8s.io/v1', 'HTTPRoute', `, ${only}`],
    ['v1', 'Servce', '; did you mean "Service"?'],
    ['example.com/v1', 'Thing', `, ${only}`],
    ['gatehose.dev/v1alpha1', 'TeaPolicy', `, ${only}`],
    ['app/v1', 'Deployment', `, ${only}`],
  ])('reports %s %s', (apiVersion, kind, rest) => {
    expect(lines(object(apiVersion, kind))).toEqual([
      `a.yaml:2:1: kind: Gatehouse reads no "${kind}" of "${apiVersion}"${rest}`,
    ]);
  });

  it('reports a known kind of the wrong group', () => {
    expect(lines(object('networking.istio.io/v1', 'Gateway'))).toEqual([
      'a.yaml:1:1: apiVersion: expected "gateway.networking.k8s.io/v1" for a Gateway, found "networking.istio.io/v1"',
    ]);
  });

  it.each(['', '# only a comment\n', '---\n---\n', 'null\n', '---\n# a\n---\n# b\n'])(
    'takes %j for empty',
    (text) => expect(documents(text)).toEqual([]),
  );

  it('follows merge keys and anchors', () => {
    const text = route('a').replace('          port: 80', '          <<: &p { port: 80 }');
    expect(keys(text)).toEqual(['Route/default/a']);
  });

  it('does not expand variables', () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the text holds no template.
    expect(lines(route('a', '${PORT}'))[0]).toContain('found "${PORT}"');
  });
});

describe('any text', () => {
  const scrap = fc.constantFrom(
    '\n',
    '---\n',
    '- ',
    ': ',
    '&a ',
    '*a',
    '{',
    '}',
    '[',
    ']',
    '"',
    '!!',
    '<<: ',
    '? ',
    '|\n',
    '%',
    'kind: Route\n',
    route('a'),
  );

  it('is read without a throw, with every mistake at a place', () => {
    const text = fc.array(fc.oneof(scrap, fc.string()), { maxLength: 20 });
    fc.assert(
      fc.property(text, (parts) => {
        for (const { object, problems, line } of documents(parts.join(''))) {
          expect(line).toBeGreaterThan(0);
          expect(problems.length > 0).toBe(object === undefined);
          for (const problem of problems) expect(problem.line).toBeGreaterThan(0);
        }
      }),
      { numRuns: 500 },
    );
  });
});
