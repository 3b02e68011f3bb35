// A dialog over the page, with its title and a button to close it. Drawn only while it is open.

import type { ComponentChildren } from 'preact';
import { strings } from '../strings';
import { Icon } from './icons';
import { useModal } from './modal';

interface DialogProps {
  title: string;
  onClose(): void;
  /** Keeps the title for screen readers: for a palette, whose input says enough. */
  bare?: boolean;
  children: ComponentChildren;
}

export function Dialog({ title, onClose, bare = false, children }: DialogProps) {
  const modal = useModal(onClose);
  return (
    <dialog {...modal} class="dialog" aria-label={title}>
      <div class="sheet">
        {!bare && (
          <header>
            <h2>{title}</h2>
            <button type="button" class="quiet" aria-label={strings.close} onClick={onClose}>
              <Icon name="close" />
            </button>
          </header>
        )}
        {children}
      </div>
    </dialog>
  );
}
