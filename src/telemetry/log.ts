/** The log: one line of JSON per message on standard output. Messages are constant texts with fields. */
import { pino, type DestinationStream } from 'pino';
import { printable } from '../object/printable.ts';
import type { Log, LogFields } from './ports.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Field names that may hold a credential by mistake. Their values are replaced. */
const REDACTED = ['authorization', 'password', 'token', 'bearerToken', 'secret', 'data', 'stringData'];

export function createLog(options: { level: LogLevel; destination?: DestinationStream }): Log {
  const settings = {
    level: options.level,
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: REDACTED, censor: '[redacted]' },
  };
  const logger = pino(settings, printing(options.destination ?? pino.destination({ fd: 1, sync: true })));
  return {
    debug: (message: string, fields?: LogFields) => logger.debug(fields ?? {}, message),
    info: (message: string, fields?: LogFields) => logger.info(fields ?? {}, message),
    warn: (message: string, fields?: LogFields) => logger.warn(fields ?? {}, message),
    error: (message: string, fields?: LogFields) => logger.error(fields ?? {}, message),
  };
}

/** Escapes characters that are valid in JSON strings but that a terminal would interpret. The value stays the same. */
function printing(destination: DestinationStream): DestinationStream {
  return { write: (line) => destination.write(`${printable(line.trimEnd())}\n`) };
}
