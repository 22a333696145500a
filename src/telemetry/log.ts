/** The log: one JSON line a change on standard output, static messages with fields; nothing at rest. */
import { pino, type DestinationStream } from 'pino';
import { printable } from '../object/printable.ts';
import type { Log, LogFields } from './ports.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Names under which a careless field could carry a credential; their values are replaced. */
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

/** JSON lets more stand in a string than a terminal should be sent; it may be written by its number as well. */
function printing(destination: DestinationStream): DestinationStream {
  return { write: (line) => destination.write(`${printable(line.trimEnd())}\n`) };
}
