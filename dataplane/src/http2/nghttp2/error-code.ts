/** RFC 9113 section 7. */
export const ErrorCode = {
  none: 0,
  protocol: 1,
  internal: 2,
  refusedStream: 7,
  cancel: 8,
  enhanceYourCalm: 11,
  http11Required: 13,
} as const;
