/** Sentences for the issues of zod, whose own words are for programmers. */
import type { z } from 'zod';

/** `spec.sync.mode must be one of auto, manual, detect`. Messages of our own rules name their field or follow it. */
export function describeIssue(issue: z.core.$ZodIssue, root: string): string {
  const path = [root, ...issue.path.map(String)].filter((part) => part !== '').join('.');
  const field = path === '' ? 'it' : path;
  switch (issue.code) {
    case 'custom':
      return issue.message.startsWith('must ') ? `${field} ${issue.message}` : issue.message;
    case 'invalid_value':
      return `${field} must be one of ${issue.values.map(String).join(', ')}`;
    case 'invalid_type':
      return issue.message.endsWith('received undefined')
        ? `${field} is required`
        : `${field} must be of type ${issue.expected}`;
    case 'invalid_format':
      if (issue.message.startsWith('must ')) return `${field} ${issue.message}`;
      return `${field} must match ${'pattern' in issue ? issue.pattern : issue.format}`;
    case 'too_big':
      return `${field} is too long: at most ${issue.maximum} ${issue.origin === 'array' ? 'items' : 'characters'}`;
    case 'too_small':
      return `${field} must not be empty`;
    case 'unrecognized_keys':
      return `${field} has the unknown field ${issue.keys.map((key) => JSON.stringify(key)).join(', ')}`;
    case 'invalid_union':
      return `${field} is none of the known values`;
    default:
      return `${field}: ${issue.message}`;
  }
}
