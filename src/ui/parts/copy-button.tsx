/** A button that copies a text, and says so. */
import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Icon } from './icon.tsx';

const TOLD_MS = 2_000;

export function CopyButton({ label, text }: { readonly label: string; readonly text: string }): VNode {
  const [state, setState] = useState<'ready' | 'copied' | 'failed'>('ready');
  useEffect(() => {
    if (state === 'ready') return undefined;
    const timer = setTimeout(() => setState('ready'), TOLD_MS);
    return () => clearTimeout(timer);
  }, [state]);
  const copy = (): void => {
    navigator.clipboard.writeText(text).then(
      () => setState('copied'),
      () => setState('failed'),
    );
  };
  const words = { ready: label, copied: 'Copied', failed: 'The browser refused to copy' };
  return (
    <button type="button" class="quiet" onClick={copy} title={label}>
      <Icon name={state === 'copied' ? 'ok' : 'copy'} />
      <span aria-live="polite">{words[state]}</span>
    </button>
  );
}
