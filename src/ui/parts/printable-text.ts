/**
 * Makes every text of the page printable. Names and messages come from repositories and clusters: a control character
 * or a mark of text direction in them is shown as an escape, as the command line does, and cannot change the line.
 *
 * Invariant: this stands below all components, so that no component has to think of it. Preact writes text as text,
 * never as HTML.
 */
import { Fragment, options, type VNode } from 'preact';
import { printableLines } from '../../object/printable.ts';

/** Attributes that people read. */
const READ = ['title', 'aria-label', 'placeholder', 'alt'];

export function makeTextPrintable(): void {
  const earlier = options.vnode?.bind(options);
  options.vnode = (vnode) => {
    if (typeof vnode.type === 'string' || vnode.type === Fragment) clean(vnode);
    earlier?.(vnode);
  };
}

function clean({ props }: VNode<Record<string, unknown>>): void {
  const children: unknown = props['children'];
  if (typeof children === 'string') props['children'] = printableLines(children);
  else if (Array.isArray(children)) props['children'] = children.map(cleanChild);
  for (const name of READ) {
    const text = props[name];
    if (typeof text === 'string') props[name] = printableLines(text);
  }
}

function cleanChild(child: unknown): unknown {
  if (Array.isArray(child)) return child.map(cleanChild);
  return typeof child === 'string' ? printableLines(child) : child;
}
