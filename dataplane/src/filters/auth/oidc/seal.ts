import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

/** Writes values that only we can read or change, so that browsers can keep them. */
export type Seal = {
  seal(value: unknown): string;
  /** Undefined for whatever `seal` has not written with the same secret and purpose. */
  open(text: string): unknown;
};

const version = 1;
const saltBytes = 16;
const tagBytes = 16;
const shortest = 1 + saltBytes + tagBytes;

/**
 * AES-256-GCM. Each text has a key and a nonce of its own (HKDF, RFC 5869), so that no number of texts
 * wears out the secret.
 * @param purpose tells texts apart that have the same secret
 */
export function createSeal(secret: Uint8Array, purpose: string): Seal {
  const derived = (salt: Uint8Array) => {
    const bytes = Buffer.from(hkdfSync('sha256', secret, salt, purpose, 44));
    return { key: bytes.subarray(0, 32), nonce: bytes.subarray(32) };
  };
  return {
    seal(value) {
      const salt = randomBytes(saltBytes);
      const { key, nonce } = derived(salt);
      const cipher = createCipheriv('aes-256-gcm', key, nonce);
      const sealed = [cipher.update(JSON.stringify(value), 'utf8'), cipher.final()];
      const all = [Buffer.of(version), salt, ...sealed, cipher.getAuthTag()];
      return Buffer.concat(all).toString('base64url');
    },

    open(text) {
      const bytes = Buffer.from(text, 'base64url');
      if (bytes.length < shortest || bytes[0] !== version) return undefined;
      const { key, nonce } = derived(bytes.subarray(1, 1 + saltBytes));
      const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
      decipher.setAuthTag(bytes.subarray(-tagBytes));
      const opened = [decipher.update(bytes.subarray(1 + saltBytes, -tagBytes))];
      try {
        opened.push(decipher.final());
      } catch {
        // The tag does not fit: not ours.
        return undefined;
      }
      return JSON.parse(Buffer.concat(opened).toString('utf8'));
    },
  };
}
