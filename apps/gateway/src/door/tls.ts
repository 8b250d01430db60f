import { StartupError } from '@lethe/service';
import type { ServiceOptions } from '@lethe/service';
import type { GatewayConfig } from '../config.ts';

type TlsOptions = ReturnType<NonNullable<ServiceOptions['tls']>>;

/** For `startService`. @throws StartupError where one file is named without the other. */
export function tlsFiles(config: Record<string, unknown>): TlsOptions {
  const {
    GATEWAY_TLS_CERT_FILE: certFile,
    GATEWAY_TLS_KEY_FILE: keyFile,
    GATEWAY_TLS_RELOAD_MS: everyMs,
  } = config as GatewayConfig;
  if (certFile === undefined && keyFile === undefined) return undefined;
  if (certFile === undefined || keyFile === undefined) {
    throw new StartupError('GATEWAY_TLS_CERT_FILE and GATEWAY_TLS_KEY_FILE belong together: set both, or neither.');
  }
  const hint = 'GATEWAY_TLS_CERT_FILE and GATEWAY_TLS_KEY_FILE must name a certificate and its key, in PEM form.';
  return { certFile, keyFile, everyMs, hint };
}
