const block = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/** The certificates in a text, each as PEM (RFC 7468 section 5) and unread; text between them is passed over. */
export function certificateBlocks(text: string): string[] {
  return text.match(block) ?? [];
}
