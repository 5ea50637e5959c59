import { describe, expect, it } from 'vitest';
import { checkExpression, compileExpression } from './expression.ts';
import type { ExpressionScope, ExpressionType } from './source.ts';

type Case = readonly [
  text: string,
  complaint: string,
  type?: ExpressionType,
  scope?: ExpressionScope,
];

function complaintOf(text: string, type: ExpressionType, scope: ExpressionScope): string {
  const problem = checkExpression(text, type, scope);
  return problem ? `${problem.line}:${problem.column} ${problem.message}` : 'sound';
}

const tables: Readonly<Record<string, readonly Case[]>> = {
  names: [
    ['request.pth == "/x"', '1:9 unknown field "pth" of request; did you mean "path"?'],
    ['requst.path == ""', '1:1 unknown name "requst"; did you mean "request"?'],
    ['a.b == 1', '1:1 unknown name "a"; known here: request, client, identity or claims'],
    ['request["pth"] == ""', '1:9 unknown field "pth" of request; did you mean "path"?'],
    ['request[claims.x] == ""', '1:16 write request.field'],
    ['has(identity.id)', '1:14 identity.id is always there; compare it instead'],
    [
      'client.port == 1',
      '1:8 unknown field "port" of client; known here: address',
      'bool',
      'request',
    ],
    [
      'identity.id == "x"',
      '1:1 identity is known only after authentication, not here',
      'bool',
      'request',
    ],
    ['claims.a', '1:1 claims is known only after authentication, not here', 'bool', 'request'],
    [
      'identity.roles.exists(r, r == "a") && r == "a"',
      '1:39 unknown name "r"; known here: request, client, identity or claims',
    ],
    [
      'client == client',
      '1:1 client is no value; write one of its fields: address',
      'bool',
      'request',
    ],
  ],
  places: [
    [
      'request.method == "GET" &&\n  request.pth == "/"',
      '2:11 unknown field "pth" of request; did you mean "path"?',
    ],
    [
      '// wide: 😀\n"😀" == request.pth',
      '2:16 unknown field "pth" of request; did you mean "path"?',
    ],
    ['request\n\t. pth == ""', '2:4 unknown field "pth" of request; did you mean "path"?'],
    ['1 // one\n + "a" == "1a"', '2:2 "+" does not take int and string; write string(...) around'],
    ['  request.method', '1:3 expected a bool, found string'],
  ],
  lookups: [
    [
      'request.headers["X-Tenant"] == "a"',
      '1:17 the keys of request.headers are in lower case: write "x-tenant"',
    ],
    [
      'request.headers.Host == "a"',
      '1:17 the keys of request.headers are in lower case: write "host"',
    ],
    [
      '"X-Tenant" in request.headers',
      '1:1 the keys of request.headers are in lower case: write "x-tenant"',
    ],
    [
      'has(request.headers.Host)',
      '1:21 the keys of request.headers are in lower case: write "host"',
    ],
    ['request.headers[1] == "a"', '1:17 the keys of request.headers are string, found int'],
    ['1 in request.query', '1:1 int is never in request.query'],
    [
      'request.headers == {}',
      '1:9 request.headers is no value; ask for one entry: request.headers["name"]',
    ],
    ['request.query.all(k, true)', '1:9 request.query is no value; ask for one entry'],
  ],
  operators: [
    [
      'request.method == 1',
      '1:16 string and int are never equal; write string(...) around the number',
    ],
    ['request.method != null', '1:16 string and null are never equal'],
    ['identity.roles == ["a"] && identity.roles == [1]', '1:43 list(string) and list(int)'],
    ['claims.n + 1 > 2.0', '1:10 "+" does not take dyn and int; numbers in claims are double'],
    ['1 + 1.0 == 2.0', '1:3 "+" does not take int and double; convert with double(...) or int('],
    ['request.method && true', '1:9 "&&" needs a bool, found string'],
    ['true || request.size', '1:17 "||" needs a bool, found int'],
    ['!request.path', '1:10 "!" needs a bool, found string'],
    ['-request.path == ""', '1:1 "-" does not take string'],
    ['request.size ? true : false', '1:9 "?:" needs a bool, found int'],
    ['true ? 1 : "a"', '1:12 both results of "?:" must be of one type, found int and', 'number'],
    ['"a" < 1', '1:5 "<" cannot compare string and int'],
    ['identity.roles >= ["a"]', '1:16 ">=" cannot compare list(string) and list(string)'],
    ['1 in identity.roles', '1:1 int is never in list(string)'],
    ['"a" in request.path', '1:5 "in" needs a list or map behind it, found string'],
    ['identity.roles["a"] == ""', '1:16 a list is indexed by an int, found string'],
    ['{"a": 1}[true] == 1', '1:10 the keys are string, found bool'],
    ['request.size[0] == 1', '1:13 int cannot be indexed'],
    ['request.path.length == 1', '1:14 string has no fields'],
    ['has(request.path.length)', '1:18 string has no fields'],
    ['{1.5: 2} == {}', '1:2 a key is a string, int, uint or bool, found double'],
  ],
  functions: [
    [
      'foo(1)',
      '1:1 unknown function "foo"; known here: size, isIP, cidr, int, uint, double, bool, string',
    ],
    [
      'request.path.startWith("/")',
      '1:14 unknown function "startWith"; did you mean "startsWith"?',
    ],
    ['startsWith(request.path, "/")', '1:1 write x.startsWith(...)'],
    ['request.path.string() == ""', '1:14 write string(x)'],
    [
      'request.path.startsWith(1)',
      '1:14 string.startsWith(int) does not exist; there is string.startsWith(string)',
    ],
    [
      'size(1) == 1',
      '1:1 size(int) does not exist; there is size(string), size(list), size(map) or size(bytes)',
    ],
    ['timestamp("x") == 1', '1:1 timestamp is left out here'],
    ['request.path.matches("(")', '1:22 missing closing ): `(`; only RE2 syntax is accepted'],
    ['request.path.matches("(?=a)")', '1:22 invalid or unsupported Perl syntax: `(?=`; only RE2'],
    ['request.path.matches(claims.p)', '1:29 the pattern of matches must be a literal string'],
    ['request.size.matches("1")', '1:14 matches needs a string, found int'],
    ['request.path.matches()', '1:14 write text.matches("pattern")'],
    [
      'cidr("10.0.0.0").containsIP(client.address)',
      '1:6 not a range of addresses such as "10.0.0.0/8"',
    ],
    [
      'cidr("::ffff:10.0.0.0/104").containsIP(client.address)',
      '1:6 an IPv4 range in IPv6 form; write it as IPv4',
    ],
    ['has(claims["a"])', '1:1 write has(claims.tenant), or "tenant" in claims'],
  ],
  macros: [
    ['identity.roles.exists("r", true)', '1:16 write list.exists(x, condition)'],
    ['identity.roles.all(r, r)', '1:23 all needs a bool, found string'],
    ['identity.roles.filter(r, 1) == []', '1:26 filter needs a bool, found int'],
    ['request.path.exists(r, true)', '1:14 exists needs a list or map, found string'],
    ['identity.roles.exists(r, r == 1)', '1:28 string and int are never equal'],
    ['{"a": 1}.all(k, k == 1)', '1:19 string and int are never equal'],
    ['identity.roles.map(r, r)', '1:1 expected a bool, found list(string)'],
  ],
  results: [
    ['request.size', '1:1 expected a string, found int', 'string'],
    ['"a"', '1:1 expected a number, found string', 'number'],
    [
      'true',
      '1:1 expected a string, a number or a list of strings, found bool; write string(...)',
      'header',
    ],
    ['[1]', '1:1 expected a string, a number or a list of strings, found list(int)', 'header'],
    ['claims', '1:1 expected a string, a number or a list of strings, found map(', 'header'],
    ['identity', '1:1 identity is no value; write one of its fields: id, method,', 'header'],
  ],
  syntax: [
    ['', '1:1 unexpected end; a value is missing, or something is not closed'],
    ['(((1)', '1:6 unexpected end; a value is missing, or something is not closed'],
    ['request.method ==', '1:16 what follows "==" is missing or wrong'],
    ['request.method = "GET"', '1:16 "=" means nothing; write "=="'],
    ['true & true', '1:6 "&" means nothing; write "&&"'],
    ['request.method == "GET', '1:19 the string is not closed on its line'],
    ["// it's fine\n'a' == 'b", '2:8 the string is not closed on its line'],
    ['true true', '1:6 unexpected "true"'],
    ['true ;', '1:6 unexpected ";"'],
    ['for == 1', '1:1 reserved identifier'],
    ['"\\ud800" == "a"', '1:1 surrogate code points are not allowed'],
    ['Foo{a: 1} == 1', '1:1 messages such as Foo{} are left out here'],
    ['9223372036854775808 == 1', '1:1 too large for an int of 64 bits'],
    ['1 == -9223372036854775809', '1:6 too large for an int of 64 bits'],
    ['18446744073709551616u == 1u', '1:1 too large for a uint of 64 bits'],
    ['1e400 == 1.0', '1:1 too large for a double'],
  ],
};

describe.each(Object.entries(tables))('%s', (_, cases) => {
  for (const [text, complaint, type = 'bool', scope = 'identity'] of cases) {
    it(`refuses ${text}`, () => {
      expect(complaintOf(text, type, scope)).toContain(complaint);
      expect(() => compileExpression(text, type, scope)).toThrow(
        /^Cannot compile the expression: /,
      );
    });
  }
});

const sound: readonly (readonly [text: string, type?: ExpressionType, scope?: ExpressionScope])[] =
  [
    ['request.method == "GET" && client.address != ""', 'bool', 'request'],
    ['claims.admin'],
    ['claims.a.b.c[0] == "x"'],
    ['claims.n + 1.0 > 2'],
    ['request.size > 1.5 && 1u < 2.5'],
    ['claims.x == null || claims.x == 1 || claims.x == [1] || claims.x == {"a": true}'],
    ['identity.plan == "gold" ? 10 : 1', 'number'],
    ['has(claims.x) ? claims.x : "none"', 'header'],
    ['identity.roles', 'header'],
    ['claims.groups.map(g, g + "!")', 'header'],
    ['identity.roles.exists(request, request == "admin")'],
    ['[1, "a", true, null, [], {}] == [claims]'],
    ['.request.method == "GET"'],
  ];

describe('what is sound', () => {
  for (const [text, type = 'bool', scope = 'identity'] of sound) {
    it(text, () => {
      expect(complaintOf(text, type, scope)).toBe('sound');
      expect(compileExpression(text, type, scope)).toBeDefined();
    });
  }
});
