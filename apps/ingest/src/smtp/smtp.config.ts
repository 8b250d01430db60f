import { z } from 'zod';
import { TrustedNetworks } from '../login/trusted.networks.ts';

const port = z.coerce.number().int().min(0).max(65_535).optional();
const milliseconds = z.coerce.number().int().positive();

/** Submission by SMTP (RFC 6409). Without a port there is none. */
export const smtpConfig = {
  SMTP_HOST: z.string().min(1).default('127.0.0.1').describe('Address the SMTP ports bind'),
  SMTP_PORT: port.describe(
    'TCP port for submission with STARTTLS, usually 587; 0 takes a free one, without it there is none',
  ),
  SMTP_TLS_PORT: port.describe(
    'TCP port for submission over TLS from the start (RFC 8314), usually 465; 0 takes a free one, without it there is none',
  ),
  SMTP_TLS_CERT_FILE: z
    .string()
    .min(1)
    .optional()
    .describe('PEM file with the certificate chain of the SMTP ports; needed by both'),
  SMTP_TLS_KEY_FILE: z
    .string()
    .min(1)
    .optional()
    .meta({ description: 'PEM file with the private key of that certificate', secret: true }),
  SMTP_TLS_RELOAD_MS: milliseconds
    .default(10_000)
    .describe('How often both files are read again, in milliseconds: a renewed certificate needs no restart'),
  SMTP_NAME: z
    .string()
    .regex(/^[A-Za-z0-9.-]{1,253}$/, 'must be a host name')
    .optional()
    .describe('Name of the server in its greeting; without it the name of the machine'),
  SMTP_TRUSTED_NETWORKS: z
    .string()
    .default('')
    .superRefine((text, context) => {
      try {
        new TrustedNetworks(text);
      } catch (error) {
        context.addIssue({ code: 'custom', message: (error as Error).message });
      }
    })
    .describe(
      'Networks whose clients send without signing in, each for one domain: `10.1.0.0/16=<account id>/mg.example.com`, separated by commas; without it there are none. Never the network of a balancer or proxy: all that comes through it would be trusted',
    ),
  SMTP_SESSIONS: z.coerce.number().int().positive().default(500).describe('SMTP sessions at a time, over both ports'),
  SMTP_STRANGERS: z.coerce
    .number()
    .int()
    .positive()
    .default(100)
    .describe(
      'Connections of one network (an IPv4 address, a /64 of IPv6) that have not signed in at a time, over both ports; less than SMTP_SESSIONS, so that none holds all',
    ),
  SMTP_LOGIN_MS: milliseconds
    .default(60_000)
    .describe(
      'Time from connecting until a client has signed in, in milliseconds; on the TLS port its handshake has as much before',
    ),
  SMTP_IDLE_MS: milliseconds
    .default(300_000)
    .describe(
      'Longest time between a reply and the next whole command of a client that has signed in, in milliseconds',
    ),
  SMTP_DATA_MS: milliseconds.default(600_000).describe('Longest time one message may take to arrive, in milliseconds'),
  SMTP_FAILED_LOGIN_MS: z.coerce
    .number()
    .int()
    .min(0)
    .default(1_000)
    .describe('A failed login is answered no sooner than this, in milliseconds, whatever made it fail'),
};
