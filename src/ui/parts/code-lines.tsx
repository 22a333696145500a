/** Lines of a comparison or of a file. Added and removed lines have a sign beside their colour. */
import type { VNode } from 'preact';
import type { CompareLine } from '../logic/compare.ts';
import { plainLine } from '../logic/log-text.ts';

const SIGNS: Readonly<Record<CompareLine['type'], string>> = { same: ' ', added: '+', removed: '−', gap: ' ' };

export function CompareLines({
  lines,
  label,
}: {
  readonly lines: readonly CompareLine[];
  readonly label: string;
}): VNode {
  return (
    <pre class="code" tabIndex={0} role="region" aria-label={label}>
      {lines.map(({ type, text }, index) => (
        <span key={index} class={`line ${type}`}>{`${SIGNS[type]} ${plainLine(text)}\n`}</span>
      ))}
    </pre>
  );
}

export interface CodeProps {
  readonly text: string;
  readonly label: string;
  /** Number of the last line; the line numbers are shown then. */
  readonly lastLine?: number | undefined;
}

export function Code({ text, label, lastLine }: CodeProps): VNode {
  const lines = text.replace(/\n$/, '').split('\n');
  const numberOf = (index: number): string => {
    if (lastLine === undefined) return '';
    return `${String(lastLine - lines.length + 1 + index).padStart(String(lastLine).length)}  `;
  };
  return (
    <pre class="code" tabIndex={0} role="region" aria-label={label}>
      {lines.map((line, index) => (
        <span key={index} class={lastLine !== undefined && index === lines.length - 1 ? 'line culprit' : 'line'}>
          {`${numberOf(index)}${plainLine(line)}\n`}
        </span>
      ))}
    </pre>
  );
}
