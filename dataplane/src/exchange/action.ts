import { errorReply } from '../http1/reply.ts';
import { answerRedirect, answerRespond } from './direct.ts';
import type { Exchange } from './exchange.ts';
import { startForward } from './forward.ts';

/** Serves an exchange: 404 without a match, otherwise the action of its rule. */
export function startAction(exchange: Exchange, chunk: Buffer) {
  const action = exchange.rule?.action;
  if (!action) return exchange.client.reply(exchange, errorReply(404, 'Route not found'));
  switch (action.type) {
    case 'forward':
      return startForward(exchange, action, chunk);
    case 'redirect':
      return answerRedirect(exchange, action);
    case 'respond':
      return answerRespond(exchange, action);
  }
}
