import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import forge from 'node-forge';

/** A certificate with its key, both as PEM. */
export interface Issued {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateRequest {
  /** Names and IP addresses that it is good for. */
  readonly names: readonly string[];
  /** Default: it is good for a day. */
  readonly expired?: boolean;
}

const DAY_MS = 86_400_000;

/** A certificate authority of a test's own. */
export class Authority {
  readonly #own: Issued;

  constructor(name: string) {
    const extensions = [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ];
    this.#own = sign({ subject: name, extensions, validForMs: DAY_MS }, null);
  }

  /** What clients are to trust. */
  get cert(): string {
    return this.#own.cert;
  }

  issue({ names, expired = false }: CertificateRequest): Issued {
    const altNames = names.map((name) =>
      isIP(name) === 0 ? { type: 2, value: name } : { type: 7, ip: name },
    );
    const extensions = [
      { name: 'extKeyUsage', serverAuth: true },
      { name: 'subjectAltName', altNames },
    ];
    const validForMs = expired ? -DAY_MS : DAY_MS;
    return sign(
      { subject: names[0] ?? 'nobody', extensions, validForMs },
      { name: this.#name, ...this.#own },
    );
  }

  get #name(): string {
    const common = forge.pki.certificateFromPem(this.#own.cert).subject.getField('CN') as { value: string };
    return common.value;
  }
}

interface Unsigned {
  readonly subject: string;
  readonly extensions: readonly object[];
  /** From now on; below zero it ended so long ago. */
  readonly validForMs: number;
}

/** @param issuer null: signed by itself */
function sign(unsigned: Unsigned, issuer: (Issued & { readonly name: string }) | null): Issued {
  const pair = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  });
  const cert = forge.pki.createCertificate();
  cert.publicKey = forge.pki.publicKeyFromPem(pair.publicKey);
  cert.serialNumber = `01${randomBytes(8).toString('hex')}`;
  cert.validity.notBefore = new Date(Date.now() - 3 * DAY_MS);
  cert.validity.notAfter = new Date(Date.now() + unsigned.validForMs);
  cert.setSubject([{ name: 'commonName', value: unsigned.subject }]);
  cert.setIssuer([{ name: 'commonName', value: issuer?.name ?? unsigned.subject }]);
  cert.setExtensions([...unsigned.extensions]);
  cert.sign(forge.pki.privateKeyFromPem(issuer?.key ?? pair.privateKey), forge.md.sha256.create());
  return { cert: forge.pki.certificateToPem(cert), key: pair.privateKey };
}
