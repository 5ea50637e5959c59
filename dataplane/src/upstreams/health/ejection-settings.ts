import type { OutlierDetection } from '@gatehouse/snapshot';

export type EjectionSettings = {
  /** Errors, and gateway errors, one after the other; Infinity: they do not eject. */
  consecutiveErrors: number;
  consecutiveGatewayErrors: number;
  /** Milliseconds. */
  baseTime: number;
  maxTime: number;
  maxPercent: number;
  /** Requests are counted for it. */
  successRate: boolean;
};

export function ejectionOf(message: OutlierDetection): EjectionSettings {
  return {
    consecutiveErrors: message.consecutiveErrors || Number.POSITIVE_INFINITY,
    consecutiveGatewayErrors: message.consecutiveGatewayErrors || Number.POSITIVE_INFINITY,
    baseTime: message.baseEjectionMs,
    maxTime: message.maxEjectionMs,
    maxPercent: message.maxEjectedPercent,
    successRate: message.successRate !== undefined,
  };
}
