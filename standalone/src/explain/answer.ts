import type {
  ExplainedAction,
  ExplainedAnswer,
  ExplainedBackend,
  ExplainedPolicy,
} from './explanation.ts';

const notFound: ExplainedAnswer = {
  status: 404,
  error: 'Route not found',
  by: 'gateway',
  unless: [],
};

/** What the client gets, as far as it can be told beforehand. */
export function explainedAnswer(
  policies: readonly ExplainedPolicy[],
  action: ExplainedAction | null,
): ExplainedAnswer {
  if (!action) return notFound;
  const closed = policies.findIndex(({ broken }) => broken !== null);
  const before = closed < 0 ? policies : policies.slice(0, closed);
  const unless = before.filter(({ rules }) => rules.length > 0).map(({ kind }) => kind);
  if (closed >= 0) {
    return { status: 500, error: 'Policy cannot be enforced', by: 'policy', unless };
  }
  return { ...actionAnswer(action), unless };
}

function actionAnswer(action: ExplainedAction): Omit<ExplainedAnswer, 'unless'> {
  if (action.type !== 'forward') return { status: action.status, error: '', by: 'route' };
  const asked = action.backends.filter(({ share }) => share > 0);
  if (asked.every(({ upstream }) => upstream === '')) {
    return { status: 500, error: 'Backend not resolved', by: 'gateway' };
  }
  // With several backends it is up to chance: the shares and endpoints tell.
  const isNowhere = ({ upstream, endpoints, discovered }: ExplainedBackend) =>
    upstream !== '' && endpoints.length === 0 && !discovered;
  if (asked.every(isNowhere)) {
    return { status: 503, error: 'Service unavailable', by: 'gateway' };
  }
  return { status: null, error: '', by: 'backend' };
}
